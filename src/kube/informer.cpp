#include <portitor/kube/informer.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/multiple_exceptions.hpp>

namespace portitor::kube {

namespace asio = boost::asio;

asio::awaitable<void> run_both(asio::awaitable<void> one, asio::awaitable<void> other)
{
    using namespace asio::experimental::awaitable_operators;
    try
    {
        co_await (std::move(one) && std::move(other));
    }
    catch (const asio::multiple_exceptions& thrown)
    {
        // A cancellation ends both.
        std::rethrow_exception(thrown.first_exception());
    }
}

}  // namespace portitor::kube

#include <portitor/kube/informer.hpp>

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace portitor::kube {

namespace asio = boost::asio;

asio::awaitable<void> run_both(asio::awaitable<void> one, asio::awaitable<void> other)
{
    using namespace asio::experimental::awaitable_operators;
    co_await (std::move(one) && std::move(other));
}

}  // namespace portitor::kube

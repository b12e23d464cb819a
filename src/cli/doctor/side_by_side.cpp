#include "cli/doctor/side_by_side.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

/// The notebooks of the parts; whatever happens, what is in them ends up in that of the area.
class gathered
{
public:
    explicit gathered(notebook& into) : into_(into) {}
    gathered(const gathered&) = delete;
    gathered& operator=(const gathered&) = delete;
    ~gathered()
    {
        for (const notebook& each : books_)
            into_.take(each);
    }

    notebook& add() { return books_.emplace_back(into_.area()); }

private:
    notebook& into_;
    std::deque<notebook> books_;
};

}  // namespace

asio::awaitable<void> side_by_side(notebook& into, std::vector<part> parts)
{
    const auto executor = co_await asio::this_coro::executor;
    gathered books(into);
    const auto start = [&](const part& each) {
        return asio::co_spawn(executor, each(books.add()), asio::deferred);
    };
    std::vector<decltype(start(parts.front()))> work;
    for (const part& each : parts)
        work.push_back(start(each));
    if (work.empty())
        co_return;
    const auto [order, thrown] = co_await asio::experimental::make_parallel_group(std::move(work))
                                     .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const std::exception_ptr& each : thrown)
    {
        if (each)
            std::rethrow_exception(each);
    }
}

}  // namespace portitor::cli::doctor

#include "cli/doctor/examination.hpp"

#include <portitor/core/deadline.hpp>
#include <portitor/core/exception_text.hpp>
#include <portitor/core/task_group.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <deque>
#include <string>

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

/// What it threw, in words; empty where nothing. A race is not over for an exception.
asio::awaitable<std::string> to_its_end(asio::awaitable<void> work)
{
    try
    {
        co_await std::move(work);
        co_return std::string();
    }
    catch (const boost::system::system_error& thrown)
    {
        if (thrown.code() == asio::error::operation_aborted)
            throw;
        co_return describe(std::current_exception());
    }
    catch (...)
    {
        co_return describe(std::current_exception());
    }
}

asio::awaitable<void> look(const patient& of, area at, std::chrono::milliseconds limit, notebook& into)
{
    const auto ended = co_await unless(of.around.timers.sleep_for(limit), to_its_end(at.examine(of, into)));
    if (!ended)
        into.failure(
            "time",
            fmt::format(
                "it has not ended within {} s: the rest was not checked",
                std::chrono::duration<double>(limit).count()
            ),
            "something answers slowly, or there is much to look at: give it more with --timeout"
        );
    else if (!ended->empty())
        into.failure("doctor", *ended, "this is a fault of Portitor: please report it");
}

}  // namespace

asio::awaitable<std::vector<finding>>
examine(const patient& of, std::vector<area> which, std::chrono::milliseconds limit)
{
    task_group tasks(of.around.executor, of.around.log);
    std::deque<notebook> books;
    for (const area& each : which)
    {
        books.emplace_back(each.name);
        tasks.spawn(std::string(each.name), look(of, each, limit, books.back()));
    }
    co_await tasks.join();
    std::vector<finding> out;
    for (const notebook& each : books)
        out.insert(out.end(), each.findings().begin(), each.findings().end());
    co_return out;
}

}  // namespace portitor::cli::doctor

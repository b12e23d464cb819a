#include "cli/doctor/examination.hpp"

#include <portitor/core/deadline.hpp>
#include <portitor/core/exception_text.hpp>
#include <portitor/core/task_group.hpp>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include <deque>
#include <variant>

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

asio::awaitable<std::monostate> to_its_end(asio::awaitable<void> work)
{
    co_await std::move(work);
    co_return std::monostate();
}

asio::awaitable<void> look(const patient& of, area at, std::chrono::milliseconds limit, notebook& into)
{
    try
    {
        const auto ended =
            co_await unless(of.around.timers.sleep_for(limit), to_its_end(at.examine(of, into)));
        if (!ended)
            into.failure(
                "time",
                fmt::format("it has not ended within {} s: the rest was not checked", limit.count() / 1000.0),
                "something answers slowly, or there is much to look at: give it more with --timeout"
            );
    }
    catch (const boost::system::system_error& thrown)
    {
        if (thrown.code() == asio::error::operation_aborted)
            throw;
        into.failure("doctor", thrown.what(), "this is a fault of Portitor: please report it");
    }
    catch (...)
    {
        into.failure(
            "doctor", describe(std::current_exception()), "this is a fault of Portitor: please report it"
        );
    }
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

#include "cli/command_line.hpp"
#include "cli/output/complaint.hpp"

#include <portitor/http/health_endpoint.hpp>
#include <portitor/http/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <chrono>
#include <csignal>
#include <iostream>
#include <unistd.h>
#include <utility>

namespace {

using namespace portitor;
namespace asio = boost::asio;

int complain(const error& failure, int exit_code = 1)
{
    cli::complain(std::cerr, failure);
    return exit_code;
}

/// Of a signal that comes again so soon: whoever forwards one makes two of what was typed once.
constexpr std::chrono::milliseconds same_signal{500};

/// The first signal ends the role in order, the second the process.
asio::awaitable<void> watch_signals(asio::signal_set& signals, stop_signal& stop, logger log)
{
    const int first = co_await signals.async_wait(asio::use_awaitable);
    log.info("shutting down", {{"signal", first}});
    stop.request();
    const auto begin = std::chrono::steady_clock::now();
    do
        co_await signals.async_wait(asio::use_awaitable);
    while (std::chrono::steady_clock::now() < begin + same_signal);
    log.warn("a second signal: ending at once");
    std::_Exit(130);
}

/// The value is the exit code.
asio::awaitable<int> run_to_end(
    roles::role& work, http::server& health, task_group& around, asio::signal_set& signals, stop_signal& stop
)
{
    auto ended = co_await work.run();
    const int exit_code = ended ? *ended : complain(ended.error());
    // Probes and scrapers keep their connections open.
    co_await health.drain(std::chrono::seconds(1));
    around.cancel();
    // The system may still look up a name that nobody waits for: a signal need not.
    signals.clear();
    co_return exit_code != 0 ? exit_code : stop.exit_code();
}

asio::awaitable<void> serve_health(http::server& server)
{
    return server.run();
}

int run(const cli::job& job)
{
    asio::io_context context(1);
    const logger log = logger(job.log.level, job.log.format).with({{"role", job.name}});
    portitor::metrics metrics;
    portitor::health health;
    stop_signal stop(context.get_executor());
    const system_clock clock;
    steady_timekeeper timers;
    metrics
        .gauge(
            "portitor_build_info",
            "Always 1; the label says which version this is",
            {{"version", PORTITOR_VERSION}}
        )
        .set(1);

    http::server health_server(context, log, [&](const http::server_request& message) {
        return [](http::response answer) -> asio::awaitable<http::reply> {
            co_return http::reply(std::move(answer));
        }(http::answer_health(message.method(), message.target(), health, metrics));
    });
    task_group around(context.get_executor(), log);
    if (job.serves_health)
    {
        auto listening = health_server.listen(job.health_listen);
        if (!listening)
            return complain(listening.error().within("--health-listen"));
        around.spawn("health server", serve_health(health_server));
    }
    asio::signal_set signals(context, SIGTERM, SIGINT);
    around.spawn("signals", watch_signals(signals, stop, log));

    const roles::process process{
        context, context.get_executor(), log, metrics, health, stop, clock, timers, [&] {
            return job.kube.connect(context.get_executor(), timers, metrics);
        }};
    const std::unique_ptr<roles::role> work = job.make(
        process, {std::cin, std::cout, std::cerr, isatty(STDIN_FILENO) != 0, isatty(STDOUT_FILENO) != 0}
    );
    int exit_code = 1;
    std::exception_ptr failure;
    auto running = run_to_end(*work, health_server, around, signals, stop);
    asio::co_spawn(context, std::move(running), [&](std::exception_ptr thrown, int ended_with) {
        exit_code = ended_with;
        failure = thrown;
        if (thrown)
            context.stop();
    });
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    return exit_code;
}

}  // namespace

int main(int argc, char** argv)
{
    // A peer that goes away while we write to it is an error code, not the end of the process.
    std::signal(SIGPIPE, SIG_IGN);
    // Memory that is not there is an exception, which costs one key or one request. mimalloc, being written
    // in C, would end the process.
    std::set_new_handler([] { throw std::bad_alloc(); });
    try
    {
        const auto job = cli::parse(cli::all_commands(), argc, argv, std::cout);
        if (!job)
            return complain(job.error(), cli::refusal_exit_code(cli::all_commands(), argc, argv));
        // Who reads a command's output may have seen enough: then it ends like any other program.
        if (!*job || !(*job)->acts)
            std::signal(SIGPIPE, SIG_DFL);
        const int exit_code = *job ? run(**job) : 0;
        if (!std::cout.flush())
            return complain(fail(errc::unavailable, "standard output cannot be written"));
        return exit_code;
    }
    catch (const std::exception& thrown)
    {
        std::cerr << "portitor: " << thrown.what() << '\n';
        return 1;
    }
}

#include "cli/command.hpp"
#include "roles/kube_connection.hpp"
#include "roles/registry.hpp"
#include "roles/settings.hpp"

#include <portitor/config/loader.hpp>
#include <portitor/http/health_endpoint.hpp>
#include <portitor/http/server.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <iostream>
#include <optional>

namespace {

using namespace portitor;
namespace asio = boost::asio;

std::string role_names()
{
    std::string names;
    for (const roles::role_entry& each : roles::all_roles())
        names += fmt::format("  {:<11} {}\n", each.name, each.summary);
    return names;
}

std::string command_names()
{
    std::string names;
    for (const cli::command& each : cli::all_commands())
        names += fmt::format("  {:<19} {}\n", each.name, each.summary);
    return names;
}

int complain(const error& failure)
{
    std::cerr << "portitor: " << failure.message() << '\n';
    return 1;
}

/// The first signal ends the role in order, the second the process.
asio::awaitable<void> watch_signals(asio::signal_set& signals, stop_signal& stop, logger log)
{
    const int first = co_await signals.async_wait(asio::use_awaitable);
    log.info("shutting down", {{"signal", first}});
    stop.request();
    co_await signals.async_wait(asio::use_awaitable);
    log.warn("a second signal: ending at once");
    std::_Exit(130);
}

asio::awaitable<void>
run_to_end(roles::role& work, http::server& health, task_group& around, stop_signal& stop, int& exit_code)
{
    auto ended = co_await work.run();
    exit_code = ended ? *ended : complain(ended.error());
    if (exit_code == 0)
        exit_code = stop.exit_code();
    // Probes and scrapers keep their connections open.
    co_await health.drain(std::chrono::seconds(1));
    around.cancel();
}

asio::awaitable<void> serve_health(http::server& server)
{
    return server.run();
}

int run(const roles::role_entry& entry, const roles::settings& config)
{
    asio::io_context context(1);
    const logger log = logger(config.level, config.format).with({{"role", entry.name}});
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
    if (entry.serves_health)
    {
        auto listening = health_server.listen(config.health_listen);
        if (!listening)
            return complain(listening.error().within("--health-listen"));
        around.spawn("health server", serve_health(health_server));
    }
    asio::signal_set signals(context, SIGTERM, SIGINT);
    around.spawn("signals", watch_signals(signals, stop, log));

    const roles::process process{
        context, context.get_executor(), log, metrics, health, stop, clock, timers, [&] {
            return roles::connect(context.get_executor(), timers, metrics, config);
        }};
    const std::unique_ptr<roles::role> work = entry.make(process, config);
    int exit_code = 1;
    std::exception_ptr failure;
    auto running = run_to_end(*work, health_server, around, stop, exit_code);
    asio::co_spawn(context, std::move(running), [&](std::exception_ptr thrown) {
        failure = thrown;
        if (thrown)
            context.stop();
    });
    context.run();
    if (failure)
        std::rethrow_exception(failure);
    return exit_code;
}

/// The exit code where that is all that was to be done.
std::optional<int> load(config_loader& loader, roles::settings& config, int argc, const char* const* argv)
{
    roles::declare(loader, config);
    const auto outcome = loader.load(argc, argv);
    if (!outcome)
        return complain(outcome.error());
    if (*outcome == config_outcome::printed)
        return 0;
    return std::nullopt;
}

int run_role(int argc, const char* const* argv)
{
    roles::settings config;
    config_loader loader(
        "portitor",
        "Sells HTTP services that run in Kubernetes for x402 payments.",
        "Roles:\n" + role_names() + "\nCommands, in place of a role:\n" + command_names() +
            "\nEvery option may also stand in the --config file or in the environment."
    );
    if (const auto done = load(loader, config, argc, argv))
        return *done;
    const auto checked = roles::check(config);
    if (!checked)
        return complain(checked.error());
    const roles::role_entry* entry = roles::find_role(config.role);
    if (!entry)
        return complain(fail(
            errc::invalid, "--role=\"{}\" is none of the roles; they are:\n{}", config.role, role_names()
        ));
    return run(*entry, config);
}

int run_command(const cli::command& which, int argc, const char* const* argv)
{
    roles::settings config;
    config_loader loader(
        fmt::format("portitor {}", which.name),
        fmt::format("portitor {}: {}.", which.name, which.summary),
        "Every option may also stand in the --config file or in the environment."
    );
    loader.show_only(which.options);
    if (const auto done = load(loader, config, argc, argv))
        return *done;
    return run({which.name, which.summary, which.make, false}, config);
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
        const cli::command* command = argc > 1 ? cli::find_command(argv[1]) : nullptr;
        return command ? run_command(*command, argc - 1, argv + 1) : run_role(argc, argv);
    }
    catch (const std::exception& thrown)
    {
        std::cerr << "portitor: " << thrown.what() << '\n';
        return 1;
    }
}

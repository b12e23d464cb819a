#pragma once

#include "catch.hpp"
#include "fake_server.hpp"
#include "manual_timekeeper.hpp"
#include "real_server.hpp"
#include "sandbox_server.hpp"
#include "server_under_test.hpp"

#include <portitor/core/health.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/informer.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace Catch {

template <typename T, typename E>
struct StringMaker<boost::system::result<T, E>>
{
    static std::string convert(const boost::system::result<T, E>& of)
    {
        return of ? "a value" : "error: " + of.error().message();
    }
};

}  // namespace Catch

namespace portitor::test {

namespace asio = boost::asio;

class client;

/// One server under test, the fake, the sandbox or the real one (PORTITOR_TEST_SERVER), and the time in which
/// the test lives: but for the real one's it passes quickly as soon as all who live in it wait.
class world
{
public:
    world();
    ~world();
    world(const world&) = delete;
    world& operator=(const world&) = delete;

    asio::io_context context;

    server_under_test& server() { return *server_; }
    fake_server& fake() { return dynamic_cast<fake_server&>(*server_); }
    real_server& real() { return dynamic_cast<real_server&>(*server_); }
    timekeeper& time() { return *time_; }
    /// Somebody else with all rights.
    client& other() { return *other_; }

    /// Whether the server can do this; says so in the output where it cannot, and the case ends.
    bool can(ability what, const std::string& reason);

    template <typename T>
    T run(asio::awaitable<T> work, std::chrono::seconds limit = std::chrono::seconds(60))
    {
        std::exception_ptr failure;
        std::optional<T> value;
        bool done = false;
        asio::co_spawn(context, std::move(work), [&](std::exception_ptr thrown, T result) {
            failure = thrown;
            value.emplace(std::move(result));
            done = true;
        });
        if (!wait([&] { return done; }, limit))
            throw std::runtime_error("a coroutine did not end in time");
        if (failure)
            std::rethrow_exception(failure);
        return std::move(*value);
    }
    void run(asio::awaitable<void> work, std::chrono::seconds limit = std::chrono::seconds(60));

    /// Lets everything go on until this is so; false where it is not in time (the machine's).
    bool wait(const std::function<bool()>& condition, std::chrono::seconds limit = std::chrono::seconds(30));

    /// Lets everything go on for so long, in the test's time.
    void pass(std::chrono::milliseconds duration);

private:
    /// Does what is to be done now; false where everybody waits.
    bool step();

    std::unique_ptr<timekeeper> time_;
    manual_timekeeper* fast_ = nullptr;
    std::unique_ptr<server_under_test> server_;
    std::unique_ptr<client> other_;
};

/// A program that uses the API server, with its own connections and numbers.
class client
{
public:
    client(world& in, const std::string& kubeconfig);
    /// As the administrator.
    explicit client(world& in) : client(in, in.server().kubeconfig()) {}

    metrics numbers;
    health checks;
    logger log{log_level::error, log_format::text};
    system_clock wall;
    std::unique_ptr<kube::api> api;

    kube::environment around()
    {
        return {in_.context.get_executor(), *api, in_.time(), wall, log, numbers, checks};
    }

    /// The sum of all series of this name whose labels contain the text.
    double sum(const std::string& name, const std::string& labels = "") const;
    double requests(const std::string& labels = "") const
    {
        return sum("rest_client_requests_total", labels);
    }

private:
    world& in_;
};

/// An informer that runs, and what it has told.
class watching
{
public:
    watching(world& in, client& by, kube::selection which = {}, kube::watch_options timing = short_timing());
    ~watching();

    /// Watches end after so long, so that their ends are part of every case.
    static kube::watch_options short_timing()
    {
        return {std::chrono::seconds(3), std::chrono::seconds(3), std::chrono::seconds(1)};
    }

    kube::informer<kube::object> informer;
    /// "+a" for what was added, "-a" for what is gone, "a" for what changed.
    std::vector<std::string> told;

    bool has(const std::string& name) const { return find(name) != nullptr; }
    kube::object_ptr find(const std::string& name) const;
    std::size_t size() const { return informer.objects().size(); }
    double lists() const { return by_.sum("portitor_watch_lists_total"); }
    double failures() const { return by_.sum("portitor_watch_failures_total"); }
    bool connected() const { return by_.sum("portitor_watch_connected") > 0; }

private:
    world& in_;
    client& by_;
    task_group tasks_;
};

/// A widget in the namespace "default".
boost::json::object widget(const std::string& name, int size = 1);
kube::object_key widget_key(const std::string& name);

/// These must work: they are what the cases stand on.
kube::object_ptr create_widget(world& in, const std::string& name, int size = 1);
kube::object_ptr resize_widget(world& in, const std::string& name, int size);
void remove_widget(world& in, const std::string& name);
/// Quickly, many at a time: <stem>-0000 and so on.
void create_widgets(world& in, const std::string& stem, int count);
/// Whether the server has it.
bool exists(world& in, const std::string& name);

/// Whether the case is about the server named so: "fake", "sandbox" or "real".
bool server_is(const std::string& name);

}  // namespace portitor::test

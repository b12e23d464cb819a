#pragma once

#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "roles/role.hpp"
#include "sandbox/api.hpp"

#include <portitor/config/groups.hpp>
#include <portitor/http/health_endpoint.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// A whole role on the API server in memory.
namespace portitor::roles::samples {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

/// The time of day, as far as the timers' time has come.
class derived_clock final : public clock
{
public:
    explicit derived_clock(const timekeeper& timers) : timers_(timers), started_(timers.now()) {}

    time_point now() const override
    {
        return std::chrono::floor<std::chrono::seconds>(begin_ + (timers_.now() - started_));
    }

private:
    const timekeeper& timers_;
    timekeeper::time_point started_;
    time_point begin_ = from_rfc3339("2026-11-24T20:00:00Z");
};

/// How time passes for a role.
enum class passing
{
    quickly,  ///< as soon as all who live in it wait
    as_usual,
};

/// One role, the API server that it is given, and whoever else writes there. Everything runs in the test's
/// own thread, but for what the role has threads for.
class role_world
{
public:
    using maker = std::function<std::unique_ptr<role>(const process&)>;

    explicit role_world(passing how = passing::quickly)
        : timers_(
              how == passing::quickly ? static_cast<timekeeper&>(fast_) : static_cast<timekeeper&>(steady_)
          ),
          is_fast_(how == passing::quickly), stop(context.get_executor()),
          server(context.get_executor(), timers_, wall)
    {
        for (sandbox::kind_info& each : sandbox::installed_kinds())
            server.storage().add_kind(std::move(each));
    }
    ~role_world()
    {
        // Its coroutines refer to it, so it must have ended.
        stop.request();
        if (role_)
            wait([&] { return ended(); });
    }
    role_world(const role_world&) = delete;
    role_world& operator=(const role_world&) = delete;

private:
    test::manual_timekeeper fast_;
    steady_timekeeper steady_;
    timekeeper& timers_;
    bool is_fast_;

public:
    derived_clock wall{timers_};
    /// The role's own; `wall` is the API server's.
    const clock* machine = &wall;
    metrics numbers;
    health checks;
    asio::io_context context;
    stop_signal stop;
    sandbox::server server;
    /// What stands between the role and the API server; nothing where it is null.
    std::function<result<std::unique_ptr<kube::api>>(std::unique_ptr<kube::api>)> between;

    void start(const maker& make)
    {
        process around{
            context,
            context.get_executor(),
            logger(level, log_format::text),
            numbers,
            checks,
            stop,
            *machine,
            timers_,
            [this]() -> result<std::unique_ptr<kube::api>> {
                std::unique_ptr<kube::api> made = std::make_unique<sandbox::api>(server, numbers);
                if (between)
                    return between(std::move(made));
                return made;
            }};
        role_ = make(around);
        asio::co_spawn(context, role_->run(), [this](std::exception_ptr thrown, result<int> code) {
            failure_ = thrown;
            exit_ = std::move(code);
        });
    }

    /// As start(), and lets it run to its end; then another may be started.
    void run_once(const maker& make)
    {
        start(make);
        if (!wait([&] { return ended(); }))
            throw std::runtime_error("it did not end in time");
    }

    /// How it has ended; throws what it threw.
    result<int> take_end()
    {
        role_.reset();
        if (failure_)
            std::rethrow_exception(std::exchange(failure_, nullptr));
        auto out = std::move(*exit_);
        exit_.reset();
        return out;
    }

    /// Lets everything go on until this is so; false where it is not in time (the machine's).
    bool wait(const std::function<bool()>& condition, std::chrono::seconds limit = 10s)
    {
        const auto deadline = std::chrono::steady_clock::now() + limit;
        while (!condition())
        {
            if (std::chrono::steady_clock::now() > deadline)
                return false;
            if (step() || !is_fast_)
                continue;
            const auto next = fast_.next_expiry();
            if (next != timekeeper::time_point::max())
                fast_.advance(std::clamp<std::chrono::milliseconds>(
                    std::chrono::ceil<std::chrono::milliseconds>(next - fast_.now()), 0ms, 100ms
                ));
        }
        return true;
    }

    /// Lets everything go on for so long, in the role's time.
    void pass(std::chrono::milliseconds duration)
    {
        const auto until = timers_.now() + duration;
        // Time passes where somebody waits.
        asio::co_spawn(context, timers_.sleep_for(duration), asio::detached);
        wait([&] { return timers_.now() >= until; });
    }

    timekeeper& timers() { return timers_; }
    bool ended() const { return exit_.has_value(); }

    /// Asks for the end, waits for it, and returns the exit code; -1 where the role did not end, or with an
    /// error.
    int end()
    {
        stop.request();
        if (!wait([&] { return ended(); }))
            return -1;
        if (failure_)
            std::rethrow_exception(failure_);
        return *exit_ ? **exit_ : -1;
    }

    unsigned ready() const
    {
        return http::answer_health(http::verb::get, "/readyz", checks, numbers).result_int();
    }

    /// As a user would with kubectl; the object as it is then.
    kube::object_ptr create(const kube::resource& kind, const std::string& text)
    {
        json::object wanted = json::parse(text).as_object();
        const std::string ns = kube::string_at(wanted, "metadata.namespace");
        return checked(server.storage().create(sandbox::kind_id(kind), ns, std::move(wanted), "user"));
    }
    kube::object_ptr patch(const kube::resource& kind, const std::string& name, const std::string& operations)
    {
        return checked(server.storage().patch(
            sandbox::kind_id(kind), key(name), json::parse(operations).as_array(), "user"
        ));
    }
    void remove(const kube::resource& kind, const std::string& name)
    {
        checked(server.storage().remove(sandbox::kind_id(kind), key(name)));
    }
    /// As another part of the system that reports.
    void report(const kube::resource& kind, const std::string& name, const std::string& status)
    {
        kube::apply_options how;
        how.field_manager = "reporter";
        how.subresource = "status";
        const auto of = live(kind, name);
        json::object body = json::parse(status).as_object();
        checked(server.storage().apply(
            sandbox::kind_id(kind), key(name), kube::make_status(kind, of->meta, std::move(body)), how
        ));
    }

    /// Null where there is none.
    kube::object_ptr live(const kube::resource& kind, const std::string& name) const
    {
        const sandbox::answer got = server.storage().get(sandbox::kind_id(kind), key(name));
        return got.good() ? kube::parse_object(got.body).value() : nullptr;
    }
    bool exists(const kube::resource& kind, const std::string& name) const
    {
        return live(kind, name) != nullptr;
    }

    /// "True Published": status and reason of a condition; empty where there is none.
    std::string condition(const kube::resource& kind, const std::string& name, const std::string& type) const
    {
        const auto of = live(kind, name);
        const auto all = of ? kube::parse_conditions(of->status()) : std::vector<kube::condition>();
        const kube::condition* found = kube::find_condition(all, type);
        return found ? found->status + " " + found->reason : std::string();
    }

    /// In the namespace of all samples.
    static kube::object_key key(const std::string& name) { return {"shop", name}; }

    static constexpr log_level level = log_level::error;

private:
    static kube::object_ptr checked(sandbox::answer said)
    {
        if (!said.good())
            throw std::runtime_error(kube::string_at(said.body, "message"));
        if (kube::string_at(said.body, "kind") == "Status")
            return nullptr;
        return kube::parse_object(std::move(said.body)).value();
    }

    bool step()
    {
        context.restart();
        if (!is_fast_)
            return context.run_one_for(10ms) > 0;
        return context.poll() > 0 || context.run_one_for(1ms) > 0;
    }

    std::unique_ptr<role> role_;
    std::exception_ptr failure_;
    std::optional<result<int>> exit_;
};

}  // namespace portitor::roles::samples

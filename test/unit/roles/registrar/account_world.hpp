#pragma once

#include "../../cli/forwarding_api.hpp"
#include "../role_world.hpp"
#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "roles/registrar/account.hpp"
#include "run.hpp"
#include "sandbox/api.hpp"

#include <portitor/kube/json_patch.hpp>

#include <boost/asio/co_spawn.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Registrars that compete for accounts on one API server in memory.
namespace portitor::registrar::samples {

namespace asio = boost::asio;
namespace json = boost::json;
using namespace std::chrono_literals;

enum class fate
{
    as_usual,
    lost_answer,    ///< carried out, and nobody hears of it
    late,           ///< it has not arrived when the client gives up
    not_reached,    ///< nothing has been sent
    forbidden,      ///< 403
    server_failed,  ///< 500, not carried out
    stripped,       ///< an admission webhook takes the annotations off
};

/// What stands between a registrar and the API server.
class faulty_api final : public cli::samples::forwarding_api
{
public:
    faulty_api(sandbox::server& server, metrics& numbers, timekeeper& time)
        : forwarding_api(std::make_unique<sandbox::api>(server, numbers)), server_(server), time_(time)
    {}

    std::deque<fate> patches_to_come;
    std::function<void()> before_patch;
    std::size_t patches = 0;
    std::size_t gets = 0;
    bool cut_off = false;  ///< the server is not reached
    bool silent = false;   ///< nothing is answered

    answer<kube::object_ptr>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
    {
        ++gets;
        if (auto failed = co_await fail_all())
            co_return *failed;
        co_return co_await forwarding_api::get(kind, std::move(key), urgency);
    }
    answer<kube::object_ptr>
    replace(kube::resource kind, json::object whole, kube::request_class urgency) override
    {
        if (auto failed = co_await fail_all())
            co_return *failed;
        co_return co_await forwarding_api::replace(kind, std::move(whole), urgency);
    }
    answer<kube::object_ptr> patch(kube::resource kind, kube::object_key key, json::array operations) override
    {
        ++patches;
        if (auto failed = co_await fail_all())
            co_return *failed;
        if (before_patch)
            before_patch();
        fate what = fate::as_usual;
        if (!patches_to_come.empty())
        {
            what = patches_to_come.front();
            patches_to_come.pop_front();
        }
        if (what == fate::not_reached)
            co_return kube::api_error(fail(errc::unavailable, "not reached"));
        if (what == fate::forbidden)
            co_return kube::api_error(403, "Forbidden", "may not patch", {});
        if (what == fate::server_failed)
            co_return kube::api_error(500, "InternalError", "etcd is ill", {});
        if (what == fate::late)
        {
            on_their_way_.push_back({key, std::move(operations)});
            co_await time_.sleep_for(1h);
        }
        if (what == fate::stripped)
            operations.push_back(kube::patch_removal("/metadata/annotations"));
        auto done = co_await forwarding_api::patch(kind, std::move(key), std::move(operations));
        if (what == fate::lost_answer)
            co_return kube::api_error(fail(errc::timed_out, "no answer"));
        co_return done;
    }

    /// What was late arrives; how many of it the server carries out.
    std::size_t deliver()
    {
        std::size_t out = 0;
        for (auto& [key, operations] : on_their_way_)
            out +=
                server_.storage().patch(sandbox::kind_id(kube::leases), key, operations, "x").good() ? 1 : 0;
        on_their_way_.clear();
        return out;
    }

private:
    asio::awaitable<std::optional<kube::api_error>> fail_all()
    {
        if (cut_off)
            co_return kube::api_error(fail(errc::unavailable, "not reached"));
        if (silent)
            co_await time_.sleep_for(1h);
        co_return std::nullopt;
    }

    sandbox::server& server_;
    timekeeper& time_;
    std::vector<std::pair<kube::object_key, json::array>> on_their_way_;
};

/// One registrar.
struct member
{
    member(
        asio::io_context& context,
        sandbox::server& server,
        timekeeper& time,
        const clock& wall,
        std::string name
    )
        : api(server, numbers, time), stop(context.get_executor()),
          all(
              {context.get_executor(), api, time, wall, logger(level, log_format::text), numbers, checks},
              [this, name](const std::string& lease) { return settings(lease, name); },
              stop,
              [this](account& of) { led.push_back(of.who()); }
          )
    {}

    std::optional<kube::lease_settings> settings(const std::string& lease, const std::string& name) const
    {
        if (!elects)
            return std::nullopt;
        kube::lease_settings out;
        out.lease = {"portitor", lease};
        out.holder = name;
        return out;
    }

    /// The log says the same as the results, and errors are what is tested.
    static constexpr auto level = static_cast<log_level>(static_cast<int>(log_level::error) + 1);

    metrics numbers;
    health checks;
    faulty_api api;
    stop_signal stop;
    bool elects = true;
    std::vector<account::identity> led;
    accounts all;
};

inline account::identity identity_of(std::uint8_t last_byte, std::uint64_t chain = 84532)
{
    evm::address::bytes_type bytes{};
    bytes.back() = last_byte;
    return {chain, evm::address(bytes)};
}

/// Adds one transaction of a namespace.
inline std::function<void(ledger&)>
booking(const std::string& ns, clock::time_point now, const u256& wei = 10)
{
    return [=](ledger& of) { of.book(ns, purpose::change, wei, now); };
}

struct account_world
{
    test::manual_timekeeper time;
    roles::samples::derived_clock wall{time};
    asio::io_context context;
    sandbox::server server{context.get_executor(), time, wall};
    std::vector<std::unique_ptr<member>> members;

    account_world()
    {
        for (sandbox::kind_info& each : sandbox::installed_kinds())
            server.storage().add_kind(std::move(each));
    }
    account_world(const account_world&) = delete;
    account_world& operator=(const account_world&) = delete;
    ~account_world()
    {
        for (const auto& each : members)
            release(*each);
    }

    member& add(const std::string& name)
    {
        members.push_back(std::make_unique<member>(context, server, time, wall, name));
        return *members.back();
    }

    void settle()
    {
        context.restart();
        context.poll();
    }
    void pass(std::chrono::milliseconds span)
    {
        const auto target = time.now() + span;
        settle();
        while (time.now() < target)
        {
            const auto next = std::min(time.next_expiry(), target);
            time.advance(std::chrono::ceil<std::chrono::milliseconds>(next - time.now()));
            settle();
        }
    }

    /// Lets time pass until it has ended; how long that took.
    template <typename T>
    T finish(asio::awaitable<T> work)
    {
        std::optional<T> out;
        asio::co_spawn(context, std::move(work), [&](const std::exception_ptr& thrown, T value) {
            if (thrown)
                std::rethrow_exception(thrown);
            out = std::move(value);
        });
        settle();
        for (int i = 0; i < 1000 && !out; ++i)
            pass(100ms);
        if (!out)
            throw std::runtime_error("it did not end");
        return std::move(*out);
    }

    std::chrono::milliseconds release(member& of)
    {
        const auto began = time.now();
        const auto work = [](accounts& all) -> asio::awaitable<bool> {
            co_await all.release();
            co_return true;
        };
        finish(work(of.all));
        return std::chrono::duration_cast<std::chrono::milliseconds>(time.now() - began);
    }
    result<void> update(account& of, std::function<void(ledger&)> change)
    {
        return finish(of.update(std::move(change)));
    }
    result<void> book(account& of, const std::string& ns) { return update(of, booking(ns, wall.now())); }

    kube::object_ptr lease(const account& of) const
    {
        const auto got =
            server.storage().get(sandbox::kind_id(kube::leases), {"portitor", of.who().lease_name()});
        return got.good() ? kube::parse_object(got.body).value() : nullptr;
    }
    std::string holder(const account& of) const { return kube::read_lease(*lease(of)).holder; }
    /// Empty where there is none.
    std::string annotation(const account& of) const
    {
        const auto live = lease(of);
        const json::object& all = kube::object_at(live->raw, "metadata.annotations");
        const json::value* found = all.if_contains(spent_annotation);
        return found ? std::string(found->get_string()) : std::string();
    }
    ledger written(const account& of) const { return ledger::parse(annotation(of)).value(); }

    /// As a user would with kubectl.
    void edit(const account& of, const std::string& operations)
    {
        const auto said = server.storage().patch(
            sandbox::kind_id(kube::leases),
            {"portitor", of.who().lease_name()},
            json::parse(operations).as_array(),
            "user"
        );
        if (!said.good())
            throw std::runtime_error(kube::string_at(said.body, "message"));
    }
    void annotate(const account& of, const std::string& text)
    {
        edit(
            of,
            json::serialize(json::array{
                kube::patch_operation("add", "/metadata/annotations", json::object{{spent_annotation, text}})}
            )
        );
    }
    /// A Lease that somebody has left.
    void leave_lease(const account::identity& who, const std::string& meta)
    {
        const std::string text =
            R"({"metadata":{"namespace":"portitor","name":")" + who.lease_name() + "\"" + meta +
            R"(},"spec":{"holderIdentity":"","leaseDurationSeconds":1,"leaseTransitions":4}})";
        const auto said = server.storage().create(
            sandbox::kind_id(kube::leases), "portitor", json::parse(text).as_object(), "user"
        );
        if (!said.good())
            throw std::runtime_error(kube::string_at(said.body, "message"));
    }

    std::uint32_t count(const account& of) const { return of.spent().transactions(wall.now()); }
    std::uint32_t count_written(const account& of) const { return written(of).transactions(wall.now()); }
};

}  // namespace portitor::registrar::samples

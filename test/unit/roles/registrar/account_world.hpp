#pragma once

#include "../role_world.hpp"
#include "catch.hpp"
#include "faulty_api.hpp"
#include "manual_timekeeper.hpp"
#include "roles/registrar/account.hpp"
#include "run.hpp"
#include "sandbox/api.hpp"

#include <portitor/kube/json_patch.hpp>

#include <boost/asio/co_spawn.hpp>

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

#pragma once

#include "lease_api.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/kube/leader_election.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace portitor::kube::samples {

using namespace std::chrono_literals;

inline const object_key key{"shop", "registrar"};
inline const auto wall_start = from_rfc3339("2026-11-24T20:17:00Z");

inline lease_settings settings_of(std::string holder)
{
    lease_settings out;
    out.lease = key;
    out.holder = std::move(holder);
    return out;
}

inline boost::json::object spec_of(const std::string& text)
{
    return boost::json::parse(text).as_object();
}

inline object_ptr lease_with(const std::string& spec)
{
    const std::string text = R"({"metadata":{"namespace":"shop","name":"registrar","uid":"u",)"
                             R"("resourceVersion":"7"},"spec":)" +
                             spec + "}";
    return parse_object(spec_of(text)).value();
}

// A machine's clock: apart from the others, and standing still where its rate is zero.
class wall_clock final : public portitor::clock
{
public:
    // At `origin` it was wall_start for a machine without skew.
    wall_clock(const timekeeper& time, timekeeper::time_point origin, std::chrono::milliseconds skew)
        : time_(time), start_(time.now()), at_start_(wall_start + skew + micros(start_ - origin))
    {}

    time_point now() const override { return at_start_ + rate * micros(time_.now() - start_); }

    int rate = 1;

private:
    static std::chrono::microseconds micros(timekeeper::time_point::duration span)
    {
        return std::chrono::duration_cast<std::chrono::microseconds>(span);
    }

    const timekeeper& time_;
    timekeeper::time_point start_;
    time_point at_start_;
};

// A process that takes part.
struct candidate
{
    candidate(
        boost::asio::io_context& context,
        test::manual_timekeeper& keeper,
        lease_server& server,
        timekeeper::time_point origin,
        lease_settings settings,
        std::chrono::milliseconds skew,
        unsigned seed
    )
        : time(keeper), client(server, keeper), wall(keeper, origin, skew),
          elector(
              client,
              std::move(settings),
              keeper,
              wall,
              logger(log_level::error, log_format::text),
              numbers,
              seed
          ),
          tasks(context.get_executor(), logger(log_level::error, log_format::text))
    {}

    boost::asio::awaitable<void> lead()
    {
        co_await elector.acquire();
        acquired_at = time.now();
        error reason = co_await elector.hold();
        lost_at = time.now();
        why = std::move(reason);
    }
    boost::asio::awaitable<void> release()
    {
        co_await elector.release();
        released_at = time.now();
    }

    void start() { tasks.spawn("lead", lead()); }
    void start_release() { tasks.spawn("release", release()); }

    bool leading() const { return elector.leading(); }
    bool shown_as_leader() const
    {
        return numbers.expose().find("leader_election_master_status{name=\"registrar\"} 1") !=
               std::string::npos;
    }
    std::size_t count(const std::string& verb) const
    {
        return static_cast<std::size_t>(std::count(client.calls.begin(), client.calls.end(), verb));
    }

    test::manual_timekeeper& time;
    lease_api client;
    wall_clock wall;
    metrics numbers;
    leader_elector elector;
    task_group tasks;
    std::optional<timekeeper::time_point> acquired_at;
    std::optional<timekeeper::time_point> lost_at;
    std::optional<timekeeper::time_point> released_at;
    error why;
};

// A cluster with its time. Nobody but the test moves it.
struct election
{
    test::manual_timekeeper time;
    const timekeeper::time_point origin = time.now();
    boost::asio::io_context context;
    lease_server server{time};
    std::vector<std::unique_ptr<candidate>> all;
    std::size_t most_leaders = 0;

    ~election()
    {
        for (const auto& each : all)
            stop(*each);
    }

    candidate& add(const std::string& holder, std::chrono::milliseconds skew = 0ms)
    {
        return add(settings_of(holder), skew);
    }
    candidate& add(lease_settings settings, std::chrono::milliseconds skew = 0ms)
    {
        const auto seed = static_cast<unsigned>(all.size()) + 1;
        all.push_back(
            std::make_unique<candidate>(context, time, server, origin, std::move(settings), skew, seed)
        );
        return *all.back();
    }

    // Ends it without a word to the others, as a crash does.
    void stop(candidate& which)
    {
        which.tasks.cancel();
        test::run(context, which.tasks.join());
    }

    void settle()
    {
        context.restart();
        context.poll();
        std::size_t leaders = 0;
        for (const auto& each : all)
            leaders += each->leading() ? 1 : 0;
        most_leaders = std::max(most_leaders, leaders);
    }

    // Lets so much time pass, with all that happens in it at its moment.
    void pass(std::chrono::milliseconds span)
    {
        const auto target = time.now() + span;
        settle();
        while (time.now() < target)
        {
            const auto next = std::min({time.next_expiry(), server.next_due(), target});
            time.advance(std::chrono::ceil<std::chrono::milliseconds>(next - time.now()));
            server.carry_out_due();
            settle();
        }
    }

    lease_record record() const { return read_lease(*server.find(key)); }
};

inline bool is_micro_time(const std::string& text)
{
    return text.size() == 27 && text[19] == '.' && text.back() == 'Z' &&
           from_rfc3339(text) != portitor::clock::time_point{};
}

}  // namespace portitor::kube::samples

#include "catch.hpp"
#include "election.hpp"

#include <portitor/kube/leader_election.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
using portitor::test::manual_timekeeper;
using portitor::test::run;
namespace asio = boost::asio;

namespace {

asio::awaitable<void> lead_again(candidate& self, int& acquired, int& lost)
{
    for (;;)
    {
        co_await self.elector.acquire();
        ++acquired;
        const error why = co_await self.elector.hold();
        ++lost;
        if (self.leading())
            throw std::logic_error("leads after its loss: " + why.message());
    }
}

// Three processes that are stopped in order, killed and started again, with clocks far apart and an API
// server that fails, hangs, is slow and does late what it was told; all as the seed has it.
class random_election
{
public:
    explicit random_election(unsigned seed) : random_(seed)
    {
        for (int i = 0; i < 3; ++i)
        {
            process& each = processes_[static_cast<std::size_t>(i)];
            each.holder = std::string(1, static_cast<char>('a' + i));
            each.skew = (i - 1) * 1000h;
            begin(each);
        }
    }
    ~random_election()
    {
        for (process& each : processes_)
            end(each);
    }

    void run_for(std::chrono::milliseconds span)
    {
        const auto target = time_.now() + span;
        while (time_.now() < target)
        {
            context_.restart();
            context_.poll();
            count_leaders();
            auto next = std::min({time_.next_expiry(), server_.next_due(), weather_until_, target});
            for (const process& each : processes_)
                next = std::min(next, each.until);
            next = std::max(next, time_.now());
            time_.advance(std::chrono::ceil<std::chrono::milliseconds>(next - time_.now()));
            // Expired is expired, before anybody has had the time to notice.
            count_leaders();
            server_.carry_out_due();
            if (time_.now() >= weather_until_)
                change_weather();
            for (process& each : processes_)
            {
                if (time_.now() >= each.until)
                    step(each);
            }
        }
    }

    // Each new holder counts, and all times have their decimals.
    bool history_is_in_order() const
    {
        std::string holder;
        std::int64_t transitions = -1;
        for (const auto& each : server_.history)
        {
            const std::string written = string_at(each.spec, "holderIdentity");
            if (!written.empty() && written != holder)
                ++transitions;
            holder = written;
            if (int_at(each.spec, "leaseTransitions") != transitions ||
                !is_micro_time(string_at(each.spec, "renewTime")) ||
                !is_micro_time(string_at(each.spec, "acquireTime")))
                return false;
        }
        return true;
    }

    int acquired = 0;
    int lost = 0;
    int changes = 0;
    int doubles = 0;

private:
    struct process
    {
        std::string holder;
        std::chrono::milliseconds skew{};
        std::unique_ptr<candidate> who;
        bool releasing = false;
        timekeeper::time_point until;  ///< then something happens to it
    };

    int below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
    std::chrono::milliseconds up_to(std::chrono::milliseconds limit)
    {
        return std::chrono::milliseconds(below(static_cast<int>(limit.count()) + 1));
    }

    void begin(process& which)
    {
        which.who = std::make_unique<candidate>(
            context_,
            time_,
            server_,
            origin_,
            settings_of(which.holder),
            which.skew,
            static_cast<unsigned>(random_())
        );
        which.who->client.fate = [this](const std::string& verb) { return fate(verb); };
        which.who->wall.rate = below(4) == 0 ? 0 : 1;
        which.who->tasks.spawn("lead", lead_again(*which.who, acquired, lost));
        which.until = time_.now() + 1s + up_to(2min);
    }

    void cancel(process& which)
    {
        which.who->tasks.cancel();
        run(context_, which.who->tasks.join());
    }

    void end(process& which)
    {
        if (which.who)
            cancel(which);
        which.who.reset();
        which.releasing = false;
    }

    void step(process& which)
    {
        if (!which.who || which.releasing)
        {
            end(which);
            begin(which);
            return;
        }
        if (below(2) == 0)
        {
            cancel(which);
            which.who->start_release();
            which.releasing = true;
            which.until = time_.now() + 5s + up_to(10s);
        }
        else
        {
            end(which);
            which.until = time_.now() + up_to(20s);
        }
    }

    void change_weather()
    {
        trouble_ = below(3) == 0 ? 95 : below(3) * 20;
        weather_until_ = time_.now() + 1ms + up_to(40s);
    }

    request_fate fate(const std::string& verb)
    {
        request_fate out;
        out.there = below(3) == 0 ? up_to(2s) : up_to(100ms);
        out.back = below(3) == 0 ? up_to(2s) : up_to(100ms);
        out.arrives_when_canceled = below(2) == 0;
        if (below(100) >= trouble_)
            return out;
        switch (below(6))
        {
        case 0:
            out.refusal = api_error(500, "InternalError", "random", {});
            break;
        case 1:
            out.refusal = api_error(fail(errc::unavailable, "random"));
            break;
        case 2:
            out.lost_answer = api_error(fail(errc::timed_out, "random"));
            break;
        case 3:
            out.there = up_to(40s);
            break;
        case 4:
            out.back = 1h;
            break;
        default:
            if (verb != "get")
                out.refusal = api_error(409, "Conflict", "random", {});
            break;
        }
        return out;
    }

    void count_leaders()
    {
        std::string leaders;
        for (const process& each : processes_)
        {
            if (each.who && each.who->leading())
                leaders += each.holder;
        }
        if (leaders.size() > 1)
            ++doubles;
        if (!leaders.empty() && std::exchange(leader_, leaders) != leaders)
            ++changes;
    }

    std::mt19937 random_;
    manual_timekeeper time_;
    const timekeeper::time_point origin_ = time_.now();
    asio::io_context context_;
    lease_server server_{time_};
    int trouble_ = 0;  ///< of 100 requests
    timekeeper::time_point weather_until_ = time_.now();
    std::string leader_;
    std::array<process, 3> processes_;
};

}  // namespace

TEST_CASE("never do two lead, whatever becomes of requests and processes", "[kube][lease][random]")
{
    int acquired = 0;
    int lost = 0;
    int changes = 0;
    const char* more = std::getenv("PORTITOR_LEASE_SEEDS");
    const int seeds = more ? std::atoi(more) : 20;
    for (int seed = 1; seed <= seeds; ++seed)
    {
        CAPTURE(seed);
        random_election vote(static_cast<unsigned>(seed));
        vote.run_for(10min);
        CHECK(vote.doubles == 0);
        CHECK(vote.history_is_in_order());
        acquired += vote.acquired;
        lost += vote.lost;
        changes += vote.changes;
    }
    // It was worth it: many led, many lost, and the leader changed often.
    CAPTURE(acquired, lost, changes);
    CHECK(acquired > 10 * seeds);
    CHECK(lost > 2 * seeds);
    CHECK(changes > 5 * seeds);
}

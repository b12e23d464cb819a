// Who leads while the API server comes and goes, the same on the look-alike and on the real server.

#include "world.hpp"

#include <portitor/kube/leader_election.hpp>

using namespace portitor;
using namespace portitor::test;
using namespace std::chrono_literals;

namespace {

kube::lease_settings settings_for(const std::string& holder)
{
    kube::lease_settings out;
    out.lease = {"default", "the-lease"};
    out.holder = holder;
    out.duration = 4s;
    out.renew_deadline = 3s;
    out.retry_period = 500ms;
    return out;
}

// A process that wants to lead.
class candidate
{
public:
    candidate(world& in, const std::string& name)
        : in_(in), by_(in), elector(*by_.api, settings_for(name), in.time(), by_.wall, by_.log, by_.numbers),
          tasks_(in.context.get_executor(), by_.log)
    {
        tasks_.spawn("candidate", live());
    }
    ~candidate() { crash(); }

    // Without a word to anybody.
    void crash()
    {
        tasks_.cancel();
        in_.run(tasks_.join());
    }

    void leave()
    {
        crash();
        in_.run(elector.release());
    }

private:
    asio::awaitable<void> live()
    {
        co_await elector.acquire();
        const error why = co_await elector.hold();
        lost = why.code();
    }

    world& in_;
    client by_;

public:
    kube::leader_elector elector;
    std::optional<errc> lost;

private:
    task_group tasks_;
};

struct fixture
{
    world w;
    candidate a{w, "a"};
    std::unique_ptr<candidate> b;
    bool both = false;

    fixture()
    {
        REQUIRE(until([&] { return a.elector.leading(); }));
        b = std::make_unique<candidate>(w, "b");
    }

    // Looks all the time whether two lead.
    bool until(const std::function<bool()>& condition, std::chrono::seconds limit = 30s)
    {
        return w.wait(
            [&] {
                both = both || (b && a.elector.leading() && b->elector.leading());
                return condition();
            },
            limit
        );
    }
};

}  // namespace

TEST_CASE_METHOD(fixture, "one leads, and the other follows as soon as it is let")
{
    w.pass(2s);
    CHECK(a.elector.leading());
    CHECK_FALSE(b->elector.leading());
    const auto left_at = w.time().now();
    a.leave();
    REQUIRE(until([&] { return b->elector.leading(); }));
    // Not after the lease's 4 s, but at the next look.
    CHECK(w.time().now() - left_at < 3500ms);
    CHECK_FALSE(both);
}

TEST_CASE_METHOD(fixture, "after a crash the other one leads when the lease has run out, and not before")
{
    REQUIRE(until([&] { return b->elector.observed_holder() == "a"; }));
    const auto crashed_at = w.time().now();
    a.crash();
    REQUIRE(until([&] { return b->elector.leading(); }));
    // The last renewal was half a second before at most.
    CHECK(w.time().now() - crashed_at > 3s);
    CHECK(w.time().now() - crashed_at < 9s);
}

TEST_CASE_METHOD(fixture, "without an API server nobody leads; with it one does again")
{
    REQUIRE(until([&] { return b->elector.observed_holder() == "a"; }));
    const bool killed = GENERATE(true, false);
    CAPTURE(killed);
    w.run(killed ? w.server().stop() : w.server().freeze());
    const auto gone_at = w.time().now();
    REQUIRE(until([&] { return a.lost.has_value(); }));
    CHECK(a.lost == errc::timed_out);
    CHECK(w.time().now() - gone_at < 4s);
    CHECK_FALSE(a.elector.leading());
    CHECK_FALSE(b->elector.leading());

    w.run(killed ? w.server().start() : w.server().thaw());
    REQUIRE(until([&] { return b->elector.leading(); }, 45s));
    CHECK_FALSE(both);
}

TEST_CASE_METHOD(fixture, "a short absence of the API server changes nothing")
{
    // Two attempts fit into the renew deadline.
    w.run(w.server().freeze());
    w.pass(800ms);
    w.run(w.server().thaw());
    w.pass(3500ms);
    CHECK(a.elector.leading());
    CHECK_FALSE(a.lost);
    CHECK_FALSE(b->elector.leading());
}

TEST_CASE_METHOD(fixture, "a lease that somebody has taken by hand is lost at once")
{
    bool taken = false;
    for (int i = 0; i < 10 && !taken; ++i)
    {
        boost::json::object lease =
            w.run(w.other().api->get(kube::leases, {"default", "the-lease"})).value()->raw;
        lease["spec"].as_object()["holderIdentity"] = "somebody";
        taken = w.run(w.other().api->replace(kube::leases, lease, kube::request_class::normal)).has_value();
    }
    REQUIRE(taken);
    REQUIRE(until([&] { return a.lost.has_value(); }));
    CHECK(a.lost == errc::conflict);
    CHECK_FALSE(a.elector.leading());
}

TEST_CASE_METHOD(fixture, "a lease that somebody has deleted is made anew")
{
    const auto lease = w.run(w.other().api->get(kube::leases, {"default", "the-lease"})).value();
    kube::delete_options which;
    which.uid = lease->meta.uid;
    REQUIRE(w.run(w.other().api->remove(kube::leases, {"default", "the-lease"}, which)));
    w.pass(3s);
    CHECK((a.elector.leading() != b->elector.leading()));
    CHECK_FALSE(both);
    const auto made = w.run(w.other().api->get(kube::leases, {"default", "the-lease"})).value();
    CHECK(made->meta.uid != lease->meta.uid);
}

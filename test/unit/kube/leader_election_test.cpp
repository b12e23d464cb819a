#include "catch.hpp"
#include "election.hpp"
#include "files.hpp"
#include "harness.hpp"

#include <portitor/kube/leader_election.hpp>

#include <algorithm>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
using portitor::test::environment_variable;
using portitor::test::run;
namespace json = boost::json;

TEST_CASE("lease settings leave time for another try, and for the leader to stop", "[kube][lease]")
{
    CHECK(check(settings_of("a")).has_value());

    auto settings = settings_of("");
    CHECK(check(settings).error().code() == errc::invalid);
    settings = settings_of("a");
    settings.lease.name = "";
    CHECK(check(settings).error().code() == errc::invalid);
    settings = settings_of("a");
    settings.lease.ns = "";
    CHECK(check(settings).error().code() == errc::invalid);
    settings = settings_of("a");
    settings.duration = settings.renew_deadline;
    CHECK(check(settings).error().code() == errc::invalid);
    settings = settings_of("a");
    settings.retry_period = 0ms;
    CHECK(check(settings).error().code() == errc::invalid);
    settings.retry_period = -1s;
    settings.renew_deadline = -1s;
    settings.duration = 1s;
    CHECK(check(settings).error().code() == errc::invalid);

    settings = settings_of("a");
    settings.renew_deadline = 2400ms;
    CHECK(check(settings).error().code() == errc::invalid);
    settings.renew_deadline = 2401ms;
    CHECK(check(settings).has_value());
}

TEST_CASE("the first candidate creates the lease and renews it without reading", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    CHECK_FALSE(a.shown_as_leader());
    a.start();
    vote.pass(0ms);
    CHECK(a.leading());
    CHECK(a.shown_as_leader());
    CHECK(a.elector.observed_holder() == "a");
    const auto expected = spec_of(R"({"holderIdentity":"a","leaseDurationSeconds":15,"leaseTransitions":0,
        "acquireTime":"2026-11-24T20:17:00.000000Z","renewTime":"2026-11-24T20:17:00.000000Z"})");
    CHECK(vote.server.history.back().spec == expected);

    vote.pass(1min);
    CHECK(a.leading());
    CHECK(a.count("get") == 1);
    CHECK(a.count("create") == 1);
    CHECK(a.count("update") == 30);
    for (const request_class each : a.client.urgencies)
        CHECK(each == request_class::lease);
    for (const auto& each : vote.server.history)
    {
        CHECK(is_micro_time(string_at(each.spec, "renewTime")));
        CHECK(string_at(each.spec, "acquireTime") == "2026-11-24T20:17:00.000000Z");
    }
    CHECK(vote.record().renewed == "2026-11-24T20:18:00.000000Z");
    CHECK(vote.record().transitions == 0);
}

TEST_CASE(
    "a candidate follows a silent leader after a full duration, whatever the clocks say", "[kube][lease]"
)
{
    election vote;
    const auto skew = GENERATE(std::chrono::milliseconds(-8760h), 0ms, std::chrono::milliseconds(8760h));
    candidate& a = vote.add("a", 0ms);
    candidate& b = vote.add("b", skew);
    a.start();
    vote.pass(0ms);
    b.start();
    vote.pass(30s);
    CHECK(a.leading());
    CHECK_FALSE(b.leading());
    CHECK(b.elector.observed_holder() == "a");

    vote.stop(a);
    const auto last_change = vote.server.history.back().when;
    vote.pass(2min);
    REQUIRE(b.acquired_at.has_value());
    // It saw the last change at most one retry after it, and looked again at most one after the expiry.
    CHECK(*b.acquired_at >= last_change + 15s);
    CHECK(*b.acquired_at <= last_change + 15s + 2 * 4400ms);
    CHECK(vote.record().holder == "b");
    CHECK(vote.record().transitions == 1);
    CHECK(vote.record().acquired == to_micro_time(b.wall.now() - (vote.time.now() - *b.acquired_at)));
    CHECK(vote.most_leaders == 1);
}

TEST_CASE("a candidate that has just come waits a full duration for a leader of long ago", "[kube][lease]")
{
    election vote;
    vote.server.put(key, spec_of(R"({"holderIdentity":"gone","leaseDurationSeconds":15,"leaseTransitions":8,
        "renewTime":"2001-01-01T00:00:00.000000Z"})"));
    candidate& b = vote.add("b");
    const auto start = vote.time.now();
    b.start();
    vote.pass(1min);
    REQUIRE(b.acquired_at.has_value());
    CHECK(*b.acquired_at >= start + 15s);
    CHECK(*b.acquired_at <= start + 15s + 4400ms);
    CHECK(vote.record().transitions == 9);
}

TEST_CASE("the duration that counts is the one in the record", "[kube][lease]")
{
    const int seconds = GENERATE(3, 60);
    election vote;
    json::object spec = spec_of(R"({"holderIdentity":"gone"})");
    spec["leaseDurationSeconds"] = seconds;
    vote.server.put(key, spec);
    candidate& b = vote.add("b");
    const auto start = vote.time.now();
    b.start();
    vote.pass(2min);
    REQUIRE(b.acquired_at.has_value());
    CHECK(*b.acquired_at >= start + std::chrono::seconds(seconds));
    CHECK(*b.acquired_at <= start + std::chrono::seconds(seconds) + 4400ms);
    CHECK(vote.record().duration == 15s);
}

TEST_CASE("a duration is written in whole seconds, and never shorter than it is", "[kube][lease]")
{
    election vote;
    auto settings = settings_of("a");
    settings.duration = 10100ms;
    candidate& a = vote.add(settings);
    a.start();
    vote.pass(0ms);
    CHECK(vote.record().duration == 11s);
}

TEST_CASE("a lease that nobody holds is taken at once, one that cannot be read with care", "[kube][lease]")
{
    election vote;
    candidate& b = vote.add("b");
    const auto start = vote.time.now();

    SECTION("released")
    {
        vote.server.put(
            key, spec_of(R"({"holderIdentity":"","leaseDurationSeconds":1,"leaseTransitions":4})")
        );
        b.start();
        vote.pass(0ms);
        CHECK(b.leading());
        CHECK(vote.record().transitions == 5);
    }
    SECTION("made by an installer")
    {
        vote.server.put(key, {}, spec_of(R"({"by":"helm"})"));
        b.start();
        vote.pass(0ms);
        CHECK(b.leading());
        CHECK(string_at(vote.server.find(key)->raw, "metadata.annotations.by") == "helm");
    }
    SECTION("garbage")
    {
        vote.server.put(key, spec_of(R"({"holderIdentity":{"x":1},"leaseDurationSeconds":"long"})"));
        b.start();
        vote.pass(1min);
        REQUIRE(b.acquired_at.has_value());
        CHECK(*b.acquired_at >= start + 15s);
        CHECK(vote.record().holder == "b");
        CHECK(vote.record().duration == 15s);
    }
}

TEST_CASE("a restarted container goes on at once", "[kube][lease]")
{
    election vote;
    candidate& before = vote.add("a");
    before.start();
    vote.pass(10s);
    vote.stop(before);
    const auto acquired = vote.record().acquired;

    candidate& after = vote.add("a");
    vote.pass(3s);
    after.start();
    vote.pass(0ms);
    CHECK(after.leading());
    CHECK(vote.record().acquired == acquired);
    CHECK(vote.record().transitions == 0);
    CHECK(vote.record().renewed == "2026-11-24T20:17:13.000000Z");
}

TEST_CASE("a released lease is taken at the next retry", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    candidate& b = vote.add("b");
    a.start();
    vote.pass(0ms);
    b.start();
    vote.pass(21s);
    vote.stop(a);
    CHECK(a.leading());

    const auto released = vote.time.now();
    a.start_release();
    vote.pass(0ms);
    CHECK(a.released_at.has_value());
    CHECK_FALSE(a.leading());
    CHECK_FALSE(a.shown_as_leader());
    CHECK(vote.record().holder.empty());
    CHECK(vote.record().duration == 1s);
    CHECK(vote.record().transitions == 0);
    CHECK(vote.record().renewed == "2026-11-24T20:17:21.000000Z");

    vote.pass(1min);
    REQUIRE(b.acquired_at.has_value());
    CHECK(*b.acquired_at <= released + 4400ms);
    CHECK(vote.record().transitions == 1);
    CHECK(vote.most_leaders == 1);

    // The second time there is nothing to release.
    const auto calls = a.client.calls.size();
    a.start_release();
    vote.pass(0ms);
    CHECK(a.client.calls.size() == calls);
}

TEST_CASE("a release ends in time, and only gives away what is ours", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");

    SECTION("never led: no request")
    {
        a.start_release();
        vote.pass(0ms);
        CHECK(a.released_at.has_value());
        CHECK(a.client.calls.empty());
    }
    SECTION("changed by somebody since: read again")
    {
        a.start();
        vote.pass(5s);
        vote.stop(a);
        vote.server.put(key, vote.server.find(key)->spec(), spec_of(R"({"note":"1"})"));
        a.start_release();
        vote.pass(0ms);
        CHECK(a.released_at.has_value());
        CHECK(vote.record().holder.empty());
        CHECK(string_at(vote.server.find(key)->raw, "metadata.annotations.note") == "1");
    }
    SECTION("taken by somebody since: left alone")
    {
        a.start();
        vote.pass(5s);
        vote.stop(a);
        vote.server.put(key, spec_of(R"({"holderIdentity":"b"})"));
        a.start_release();
        vote.pass(0ms);
        CHECK(a.released_at.has_value());
        CHECK(vote.record().holder == "b");
    }
    SECTION("deleted since: left alone")
    {
        a.start();
        vote.pass(5s);
        vote.stop(a);
        vote.server.remove(key);
        a.start_release();
        vote.pass(0ms);
        CHECK(a.released_at.has_value());
        CHECK_FALSE(vote.server.find(key));
    }
    SECTION("no answer, or none but errors: five seconds")
    {
        const auto fate = GENERATE(lease_api::hang(), lease_api::refuse(503), lease_api::refuse(409));
        a.start();
        vote.pass(5s);
        vote.stop(a);
        a.client.fate = [fate](const std::string& verb) {
            const bool conflict = fate.refusal && fate.refusal->is_conflict();
            return verb == "get" && conflict ? request_fate() : fate;
        };
        const auto start = vote.time.now();
        a.start_release();
        vote.pass(1min);
        REQUIRE(a.released_at.has_value());
        CHECK(*a.released_at - start <= 5s);
        CHECK(a.client.calls.size() < 60);
    }
    SECTION("an outage that ends in time")
    {
        a.start();
        vote.pass(5s);
        vote.stop(a);
        const auto until = vote.time.now() + 3s;
        a.client.fate = [&vote, until](const std::string&) {
            return vote.time.now() < until ? lease_api::refuse(500) : request_fate();
        };
        a.start_release();
        vote.pass(4s);
        CHECK(vote.record().holder.empty());
    }
    SECTION("canceled while it took the lease, which it got")
    {
        a.client.fate = [](const std::string&) {
            request_fate out;
            out.back = 1s;
            return out;
        };
        a.start();
        vote.pass(1500ms);
        vote.stop(a);
        CHECK_FALSE(a.leading());
        CHECK(vote.record().holder == "a");
        a.start_release();
        vote.pass(5s);
        CHECK(vote.record().holder.empty());
    }
    SECTION("canceled itself: it ends")
    {
        a.start();
        vote.pass(5s);
        vote.stop(a);
        a.client.fate = [](const std::string&) { return lease_api::hang(); };
        a.start_release();
        vote.pass(1s);
        vote.stop(a);
        CHECK(vote.record().holder == "a");
    }
}

TEST_CASE("a lease that is somebody else's is lost at once", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    a.start();
    vote.pass(5s);
    REQUIRE(a.leading());

    SECTION("taken")
    {
        vote.server.put(key, spec_of(R"({"holderIdentity":"b","leaseDurationSeconds":15})"));
        vote.pass(2s);
        CHECK(a.why.code() == errc::conflict);
        CHECK(a.why.message() == "the lease shop/registrar is held by b now");
        CHECK(vote.record().holder == "b");
    }
    SECTION("deleted and taken")
    {
        vote.server.remove(key);
        vote.server.put(key, spec_of(R"({"holderIdentity":"b","leaseDurationSeconds":15})"));
        vote.pass(2s);
        CHECK(a.why.code() == errc::conflict);
        CHECK(vote.record().holder == "b");
    }
    SECTION("cleared by an operator")
    {
        vote.server.put(key, spec_of(R"({"holderIdentity":"","leaseDurationSeconds":15})"));
        vote.pass(2s);
        CHECK(a.why.message() == "the lease shop/registrar is held by nobody now");
    }
    CHECK(a.lost_at.has_value());
    CHECK_FALSE(a.leading());
    CHECK_FALSE(a.shown_as_leader());
}

TEST_CASE("a lease that was changed otherwise or deleted is kept", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    a.start();
    vote.pass(5s);

    SECTION("annotated")
    {
        vote.server.put(key, vote.server.find(key)->spec(), spec_of(R"({"note":"1"})"));
        vote.pass(2s);
        CHECK(a.count("get") == 2);
        CHECK(string_at(vote.server.find(key)->raw, "metadata.annotations.note") == "1");
    }
    SECTION("deleted")
    {
        vote.server.remove(key);
        vote.pass(2s);
        CHECK(a.count("create") == 2);
        CHECK(vote.record().holder == "a");
    }
    CHECK(vote.record().renewed == "2026-11-24T20:17:06.000000Z");
    vote.pass(1min);
    CHECK(a.leading());
    CHECK_FALSE(a.lost_at.has_value());
}

TEST_CASE("a lease that vanishes is not taken before its leader would have stopped", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    candidate& b = vote.add("b");
    a.start();
    vote.pass(0ms);
    b.start();
    vote.pass(11s);
    a.client.fate = [](const std::string&) { return lease_api::hang(); };
    vote.server.remove(key);
    vote.pass(1min);
    CHECK(a.lost_at.has_value());
    REQUIRE(b.acquired_at.has_value());
    CHECK(*b.acquired_at >= *a.lost_at);
    CHECK(vote.most_leaders == 1);
}

TEST_CASE("a leader without answers stops at its deadline, before anybody follows", "[kube][lease]")
{
    const auto fate =
        GENERATE(lease_api::hang(), lease_api::refuse(500), lease_api::refuse(429), request_fate());
    election vote;
    candidate& a = vote.add("a");
    candidate& b = vote.add("b");
    a.start();
    vote.pass(0ms);
    b.start();
    vote.pass(11s);  // the last renewal was one second ago
    const auto last = vote.server.history.back().when;
    auto what = fate;
    if (!what.refusal && what.there == 0ms)
        what.lost_answer = api_error(fail(errc::timed_out, "cut off"));  // done each time, unknown each time
    const bool lands = what.lost_answer.has_value();
    a.client.fate = [what](const std::string& verb) { return verb == "get" ? request_fate{} : what; };
    vote.pass(8999ms);
    CHECK(a.leading());
    CHECK_FALSE(a.lost_at.has_value());
    vote.pass(1ms);
    CHECK_FALSE(a.leading());
    REQUIRE(a.lost_at.has_value());
    CHECK(*a.lost_at == last + 10s);
    CHECK(a.why.code() == errc::timed_out);
    CHECK(a.why.message() == "the lease shop/registrar was not renewed within 10000 ms");
    CHECK_FALSE(b.leading());
    vote.pass(1min);
    REQUIRE(b.acquired_at.has_value());
    CHECK(*b.acquired_at >= last + (lands ? 20s : 15s));
    CHECK(vote.most_leaders == 1);
}

TEST_CASE("a leader does not wait for its next try when its deadline comes first", "[kube][lease]")
{
    election vote;
    auto settings = settings_of("a");
    settings.renew_deadline = 9s;
    candidate& a = vote.add(settings);
    a.start();
    vote.pass(0ms);
    const auto start = vote.time.now();
    a.client.fate = [](const std::string&) { return lease_api::refuse(503); };
    vote.pass(1min);
    CHECK(a.lost_at == start + 9s);
}

TEST_CASE("an answer after the deadline makes nobody a leader again", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    a.start();
    vote.pass(0ms);
    a.client.fate = [](const std::string&) { return lease_api::refuse(503); };
    vote.pass(7s);
    // The process pauses while the last try is on its way.
    a.client.fate = [&vote](const std::string& verb) {
        if (verb == "update")
            vote.time.advance(2500ms);
        return request_fate();
    };
    vote.pass(1s);
    CHECK(vote.record().renewed == "2026-11-24T20:17:08.000000Z");
    CHECK_FALSE(a.leading());
    CHECK(a.lost_at.has_value());
}

TEST_CASE("the deadline counts from before the request of the last renewal", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    a.start();
    vote.pass(3s);
    // The renewal of the fourth second is answered in the eighth, and no other one.
    a.client.fate = [](const std::string&) {
        request_fate out;
        out.back = 4s;
        return out;
    };
    vote.pass(1s);
    a.client.fate = [](const std::string&) { return lease_api::hang(); };
    vote.pass(9999ms);
    CHECK(a.leading());
    vote.pass(1ms);
    CHECK_FALSE(a.leading());
    CHECK(a.lost_at.has_value());
}

TEST_CASE("a leader survives an outage shorter than its deadline", "[kube][lease]")
{
    const auto fate = GENERATE(lease_api::hang(), lease_api::refuse(503));
    election vote;
    candidate& a = vote.add("a");
    candidate& b = vote.add("b");
    a.start();
    vote.pass(0ms);
    b.start();
    vote.pass(11s);
    a.client.fate = [fate](const std::string&) { return fate; };
    vote.pass(5s);
    a.client.fate = nullptr;
    vote.pass(2min);
    CHECK(a.leading());
    CHECK_FALSE(b.acquired_at.has_value());
    CHECK(vote.record().transitions == 0);
}

TEST_CASE("a paused process does not lead when it wakes up", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    a.start();
    vote.pass(5s);
    const auto calls = a.client.calls.size();
    vote.time.advance(30s);
    CHECK_FALSE(a.leading());
    vote.settle();
    CHECK(a.why.code() == errc::timed_out);
    CHECK(a.client.calls.size() == calls);
}

TEST_CASE("a candidate that is paused over its deadline has won nothing", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    a.client.fate = [](const std::string& verb) {
        request_fate out;
        out.back = verb == "create" ? 1s : 0s;
        return out;
    };
    a.start();
    vote.settle();
    vote.time.advance(30s);
    CHECK_FALSE(a.leading());
    vote.settle();
    CHECK_FALSE(a.leading());
    // It is still ours, so the next retry leads.
    vote.pass(10s);
    CHECK(a.leading());
    CHECK(vote.record().transitions == 0);
}

TEST_CASE("a write of unknown outcome is read before anything is believed", "[kube][lease]")
{
    election vote;
    vote.server.put(key, spec_of(R"({"holderIdentity":"","leaseTransitions":4})"));
    candidate& a = vote.add("a");
    a.client.fate = [](const std::string& verb) {
        request_fate out;
        if (verb == "update")
            out.lost_answer = api_error(fail(errc::timed_out, "cut off"));
        return out;
    };
    a.start();
    vote.pass(0ms);
    CHECK(vote.record().holder == "a");
    CHECK_FALSE(a.leading());
    const auto acquired = vote.record().acquired;
    a.client.fate = nullptr;
    vote.pass(4400ms);
    CHECK(a.leading());
    CHECK(a.client.calls == std::vector<std::string>{"get", "update", "get", "update"});
    CHECK(vote.record().transitions == 5);
    CHECK(vote.record().acquired == acquired);
}

TEST_CASE("of candidates that come together one leads", "[kube][lease]")
{
    const bool exists = GENERATE(false, true);
    election vote;
    if (exists)
        vote.server.put(key, spec_of(R"({"holderIdentity":""})"));
    for (const char* each : {"a", "b", "c"})
    {
        candidate& one = vote.add(each);
        // All have read before the first one writes.
        one.client.fate = [](const std::string&) {
            request_fate out;
            out.there = 100ms;
            return out;
        };
        one.start();
    }
    vote.pass(1min);
    CHECK(vote.most_leaders == 1);
    CHECK(vote.record().transitions == (exists ? 1 : 0));
    std::size_t leaders = 0;
    for (const auto& each : vote.all)
    {
        leaders += each->leading() ? 1 : 0;
        CHECK(each->elector.observed_holder() == vote.record().holder);
    }
    CHECK(leaders == 1);

    // Those who tried in vain have nothing to release.
    for (const auto& each : vote.all)
    {
        if (each->leading())
            continue;
        vote.stop(*each);
        const auto calls = each->client.calls.size();
        each->start_release();
        vote.pass(0ms);
        CHECK(each->client.calls.size() == calls);
    }
}

TEST_CASE("a leader whose clock stands still is not taken for dead", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    candidate& b = vote.add("b");
    a.wall.rate = 0;
    a.start();
    vote.pass(0ms);
    b.start();
    vote.pass(2min);
    CHECK(a.leading());
    CHECK_FALSE(b.acquired_at.has_value());
    CHECK(vote.most_leaders == 1);
}

TEST_CASE("candidates keep their distance when the API server is down", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    a.client.fate = [](const std::string&) { return lease_api::refuse(503); };
    a.start();
    vote.pass(2min);
    // Between 2 and 4.4 seconds each.
    CHECK(a.count("get") >= 27);
    CHECK(a.count("get") <= 61);
    CHECK(a.client.calls.size() == a.count("get"));
    a.client.fate = nullptr;
    vote.pass(5s);
    CHECK(a.leading());
}

TEST_CASE("a missing permission is told once, with all that is needed to grant it", "[kube][lease]")
{
    const auto verb = GENERATE(std::string("get"), std::string("create"));
    election vote;
    candidate& a = vote.add("a");
    a.client.fate = [verb](const std::string& each) {
        return each == verb ? lease_api::refuse(403, "Forbidden") : request_fate();
    };
    std::string text;
    {
        captured_stderr log;
        a.start();
        vote.pass(1min);
        text = log.text();
    }
    const auto first = text.find("the verbs get, create and update on leases.coordination.k8s.io");
    CHECK(first != text.npos);
    CHECK(text.find("the verbs get", first + 1) == text.npos);
    CHECK(text.find("verb=" + verb) != text.npos);
    CHECK(text.find("name=registrar") != text.npos);
    CHECK(a.count(verb) > 10);
    a.client.fate = nullptr;
    vote.pass(5s);
    CHECK(a.leading());
}

TEST_CASE("holding what was never acquired is an error at once", "[kube][lease]")
{
    election vote;
    candidate& a = vote.add("a");
    const error why = run(vote.context, a.elector.hold());
    CHECK(why.code() == errc::conflict);
    CHECK(a.client.calls.empty());
}

TEST_CASE("the holder's identity is the pod's, else the host's with something random", "[kube][lease]")
{
    {
        const environment_variable name("POD_NAME", "registrar-0");
        const environment_variable uid("POD_UID", "1b4e28ba");
        CHECK(make_holder_identity() == "registrar-0_1b4e28ba");
    }
    const auto one = make_holder_identity();
    CHECK(one.size() > 17);
    CHECK(one[one.size() - 17] == '_');
    CHECK(one != make_holder_identity());
}

#include "catch.hpp"
#include "election.hpp"

#include <portitor/kube/lease_record.hpp>

#include <boost/json/serialize.hpp>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;
using namespace std::chrono_literals;
namespace json = boost::json;

TEST_CASE("a micro time has six decimals whatever the time", "[kube][lease]")
{
    CHECK(to_micro_time(wall_start) == "2026-11-24T20:17:00.000000Z");
    CHECK(to_micro_time(wall_start + 42us) == "2026-11-24T20:17:00.000042Z");
    CHECK(to_micro_time(wall_start + 999999999ns) == "2026-11-24T20:17:00.999999Z");
    CHECK(to_micro_time(clock::time_point{} - 1us) == "1969-12-31T23:59:59.999999Z");
    CHECK(to_micro_time(clock::time_point::min()) == "1677-09-21T00:12:43.145224Z");
    CHECK(to_micro_time(clock::time_point::max()) == "2262-04-11T23:47:16.854775Z");
}

TEST_CASE("a lease is read whatever it holds", "[kube][lease]")
{
    auto record = read_lease(*lease_with(
        R"({"holderIdentity":"a","leaseDurationSeconds":15,"leaseTransitions":3,"acquireTime":"x","renewTime":"y"})"
    ));
    CHECK(record.holder == "a");
    CHECK(record.duration == 15s);
    CHECK(record.transitions == 3);
    CHECK(record.acquired == "x");
    CHECK(record.renewed == "y");
    CHECK(record.readable);

    for (const char* empty : {"{}", "null", R"({"holderIdentity":null})", R"({"holderIdentity":""})"})
    {
        CAPTURE(empty);
        CHECK(read_lease(*lease_with(empty)).holder.empty());
        CHECK(read_lease(*lease_with(empty)).readable);
    }
    CHECK(read_lease(*parse_object(spec_of(R"({"metadata":{"name":"n"}})")).value()).readable);

    for (const char* wrong : {"7", "[]", R"({"holderIdentity":7})", R"({"holderIdentity":{}})"})
    {
        CAPTURE(wrong);
        CHECK_FALSE(read_lease(*lease_with(wrong)).readable);
    }

    record = read_lease(*lease_with(
        R"({"holderIdentity":"a","leaseDurationSeconds":-5,"leaseTransitions":"many","renewTime":5})"
    ));
    CHECK(record.duration == 0s);
    CHECK(record.transitions == 0);
    CHECK(record.renewed.empty());
    record = read_lease(
        *lease_with(R"({"leaseDurationSeconds":9223372036854775807,"leaseTransitions":9223372036854775807})")
    );
    CHECK(record.duration.count() == 2147483647);
    CHECK(record.transitions == 2147483647);
}

TEST_CASE("claiming a lease keeps all that it has besides", "[kube][lease]")
{
    auto raw = spec_of(R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease",
        "metadata":{"namespace":"shop","name":"registrar","uid":"u","resourceVersion":"7",
                    "labels":{"app":"portitor"},"annotations":{"who":"me"}},
        "spec":{"holderIdentity":"a","leaseDurationSeconds":15,"leaseTransitions":3,
                "acquireTime":"2026-01-01T00:00:00.000000Z","renewTime":"2026-11-24T20:17:00.000000Z",
                "strategy":"OldestEmulationVersion","preferredHolder":"b","later":{"field":[1]}}})");
    const object_ptr live = parse_object(raw).value();

    auto expected = raw;
    expected["spec"].as_object()["renewTime"] = "2026-11-24T20:17:05.000000Z";
    CHECK(claimed_lease(*live, "a", 15s, wall_start + 5s) == expected);

    expected["spec"].as_object()["holderIdentity"] = "b";
    expected["spec"].as_object()["acquireTime"] = "2026-11-24T20:17:05.000000Z";
    expected["spec"].as_object()["leaseTransitions"] = 4;
    expected["spec"].as_object()["leaseDurationSeconds"] = 20;
    CHECK(claimed_lease(*live, "b", 20s, wall_start + 5s) == expected);

    expected = raw;
    expected["spec"].as_object()["holderIdentity"] = "";
    expected["spec"].as_object()["leaseDurationSeconds"] = 1;
    expected["spec"].as_object()["renewTime"] = "2026-11-24T20:17:05.000000Z";
    CHECK(released_lease(*live, wall_start + 5s) == expected);

    // A clock that stands still, or was put back a little, moves the record all the same; one that was wrong
    // by far is not followed.
    const auto renewed_at = [&live](clock::time_point now) {
        return string_at(claimed_lease(*live, "a", 15s, now), "spec.renewTime");
    };
    CHECK(renewed_at(wall_start) == "2026-11-24T20:17:00.000001Z");
    CHECK(renewed_at(wall_start + 900ns) == "2026-11-24T20:17:00.000001Z");
    CHECK(renewed_at(wall_start - 5s) == "2026-11-24T20:17:00.000001Z");
    CHECK(renewed_at(wall_start - 1h) == "2026-11-24T19:17:00.000000Z");
}

TEST_CASE("claiming a lease repairs a spec that makes no sense", "[kube][lease]")
{
    for (const char* wrong : {"7", "null", R"({"holderIdentity":7,"leaseTransitions":"x","acquireTime":[]})"})
    {
        CAPTURE(wrong);
        const auto claimed = claimed_lease(*lease_with(wrong), "a", 15s, wall_start);
        const auto expected = spec_of(R"({"holderIdentity":"a","leaseDurationSeconds":15,"leaseTransitions":1,
            "acquireTime":"2026-11-24T20:17:00.000000Z","renewTime":"2026-11-24T20:17:00.000000Z"})");
        CHECK(claimed.at("spec").as_object() == expected);
        CHECK(string_at(claimed, "apiVersion") == "coordination.k8s.io/v1");
        CHECK(string_at(claimed, "kind") == "Lease");
    }
    for (const char* time :
         {"9999-12-31T23:59:59.999999Z",
          "0001-01-01T00:00:00.000000Z",
          "2262-04-11T23:47:16.854775Z",  // the clock's ends
          "1677-09-21T00:12:43.145225Z",
          "today",
          ""})
    {
        CAPTURE(time);
        json::object spec;
        spec["holderIdentity"] = "a";
        spec["renewTime"] = time;
        const auto claimed = claimed_lease(*lease_with(json::serialize(spec)), "a", 15s, wall_start);
        CHECK(string_at(claimed, "spec.renewTime") == "2026-11-24T20:17:00.000000Z");
    }
    const auto most = claimed_lease(
        *lease_with(R"({"holderIdentity":"b","leaseTransitions":2147483647})"), "a", 15s, wall_start
    );
    CHECK(int_at(most, "spec.leaseTransitions") == 2147483647);
}

TEST_CASE("a view of a lease expires a full duration after its last change", "[kube][lease]")
{
    using verdict = lease_view::verdict;
    const timekeeper::time_point start{1h};
    lease_view view("me", 15s);
    CHECK(view.judge(start) == verdict::absent);
    view.saw(lease_with("{}"), start);
    CHECK(view.judge(start) == verdict::vacant);
    view.saw(lease_with(R"({"holderIdentity":"me","leaseDurationSeconds":15})"), start);
    CHECK(view.judge(start + 1h) == verdict::ours);

    view.saw(lease_with(R"({"holderIdentity":"b","leaseDurationSeconds":30,"renewTime":"1"})"), start);
    CHECK(view.judge(start + 30s - 1ns) == verdict::held);
    CHECK(view.judge(start + 30s) == verdict::expired);
    // Seen again is not changed.
    view.saw(lease_with(R"({"holderIdentity":"b","leaseDurationSeconds":30,"renewTime":"1"})"), start + 29s);
    CHECK(view.judge(start + 30s) == verdict::expired);
    view.saw(lease_with(R"({"holderIdentity":"b","leaseDurationSeconds":30,"renewTime":"2"})"), start + 29s);
    CHECK(view.judge(start + 59s - 1ns) == verdict::held);
    CHECK(view.judge(start + 59s) == verdict::expired);

    // Another lease of that name with the same content.
    auto raw = lease_with(R"({"holderIdentity":"b","leaseDurationSeconds":30,"renewTime":"2"})")->raw;
    raw["metadata"].as_object()["uid"] = "another";
    view.saw(parse_object(std::move(raw)).value(), start + 40s);
    CHECK(view.judge(start + 70s - 1ns) == verdict::held);
    CHECK(view.judge(start + 70s) == verdict::expired);

    // A lease that is gone may have a leader that does not know yet.
    view.saw(lease_with(R"({"holderIdentity":"b","leaseDurationSeconds":30,"renewTime":"2"})"), start + 29s);
    view.saw_none();
    CHECK(view.judge(start + 59s - 1ns) == verdict::held);
    CHECK(view.judge(start + 59s) == verdict::absent);

    // No duration, and no holder that could be read: our own duration.
    view.saw(lease_with(R"({"holderIdentity":"b"})"), start);
    CHECK(view.judge(start + 15s - 1ns) == verdict::held);
    CHECK(view.judge(start + 15s) == verdict::expired);
    view.saw(lease_with("{}"), start - 1h);
    view.saw(lease_with("7"), start);
    CHECK(view.judge(start + 15s - 1ns) == verdict::held);
    CHECK(view.judge(start + 15s) == verdict::expired);
}

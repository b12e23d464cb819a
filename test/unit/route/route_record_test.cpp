#include "catch.hpp"
#include "route/route_record.hpp"
#include "route_objects.hpp"

#include <portitor/kube/object_filter.hpp>
#include <portitor/kube/object_reader.hpp>

#include <boost/json/serialize.hpp>

using namespace portitor;
using namespace portitor::route;
namespace json = boost::json;

namespace {

const char* status = R"({"admitted": true, "lastAdmittedGeneration": 1, "conditions": [
    {"type": "Admitted", "status": "True", "observedGeneration": 1, "lastTransitionTime": "2026-11-24T20:00:00Z"}]})";

}  // namespace

TEST_CASE("a route that cannot be read is refused, also where it was served before", "[verifier][record]")
{
    const auto live = test::changed(samples::route_object(), "/status", status);
    const auto record =
        route_record::unreadable(live->meta, live->raw, "spec.rules has more than 128 levels");
    CHECK_FALSE(record->served);
    CHECK_THAT(record->refusal, Catch::Matchers::Contains("spec.rules has more than 128 levels"));
    CHECK(record->meta.key().to_string() == "shop/hello-payment");
    // What it was admitted as is known, so that it can be taken back.
    CHECK(record->admitted);
    CHECK(record->judged_generation == 1);
    CHECK(record->judged_true);
    CHECK(to_rfc3339(record->transition_time) == "2026-11-24T20:00:00Z");
}

TEST_CASE("where not even the status can be read nothing is written", "[verifier][record]")
{
    const auto live = samples::route_object();
    const auto record = route_record::unreadable(live->meta, {}, "std::bad_alloc");
    CHECK_FALSE(record->served);
    CHECK(record->judged_generation == live->meta.generation);
    CHECK_FALSE(record->judged_true);
    CHECK_FALSE(record->admitted);
}

TEST_CASE("a generation is called admitted by fields that agree", "[verifier][record]")
{
    struct row
    {
        const char* status;
        bool judged;
        bool called;
    };
    const row rows[] = {
        {R"({})", false, false},
        {R"({"admitted": true, "lastAdmittedGeneration": 1})", false, false},
        {status, true, true},
        {R"({"admitted": false, "lastAdmittedGeneration": 1, "conditions": [
            {"type": "Admitted", "status": "True", "observedGeneration": 1}]})",
         false,
         false},
        {R"({"admitted": true, "lastAdmittedGeneration": 2, "conditions": [
            {"type": "Admitted", "status": "True", "observedGeneration": 1}]})",
         false,
         false},
        {R"({"admitted": false, "conditions": [{"type": "Admitted", "status": "False", "observedGeneration": 1}]})",
         true,
         false},
        {R"({"admitted": false, "conditions": [{"type": "Admitted", "status": "False", "observedGeneration": 2}]})",
         false,
         false},
    };
    for (const row& each : rows)
    {
        INFO(each.status);
        const auto live = test::changed(samples::route_object(), "/status", each.status);
        const auto record = route_record::unreadable(live->meta, live->raw, "");
        CHECK(record->judged() == each.judged);
        CHECK(record->called_admitted() == each.called);
    }
}

TEST_CASE("who has asked, and what was answered, is read", "[verifier][record]")
{
    const auto live = test::changed(
        samples::route_object(),
        "/status",
        R"({"admitted": true, "lastAdmittedGeneration": 1, "answered": "2026-11-24T20:00:01.000002Z", "asked": {
            "name": "portitor-verifier-7", "reason": "not on my list", "time": "2026-11-24T20:00:01.000002Z"},
            "conditions": [{"type": "Admitted", "status": "True", "reason": "RefusedBySome", "observedGeneration": 1}]})"
    );
    const auto record = route_record::unreadable(live->meta, live->raw, "");
    CHECK(record->last_question->name == "portitor-verifier-7");
    CHECK(record->last_question->reason == "not on my list");
    CHECK(record->asked() == "2026-11-24T20:00:01.000002Z");
    CHECK(record->last_question->answered == record->asked());
    CHECK_FALSE(record->has_open_question());
    CHECK(record->judged_refused_by_some);
}

TEST_CASE("what the verifier leaves out of a route decides nothing", "[verifier][record]")
{
    auto live = test::changed(samples::route_object(), "/status", status);
    json::object noted = live->raw;
    noted["metadata"].as_object()["annotations"] = json::object{{"note", std::string(250000, 'x')}};
    noted["metadata"].as_object()["labels"] = json::object{{"a", "b"}};
    json::object read;
    kube::list_reader reader(
        [&](json::object&& item, std::string_view) {
            read = json::object(item, json::storage_ptr());
            return result<void>();
        },
        kube::without_labels_and_annotations()
    );
    REQUIRE(reader.feed(R"({"metadata":{},"items":[)" + json::serialize(noted) + "]}").has_value());
    CHECK(read == live->raw);
}

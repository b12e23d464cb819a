#include "catch.hpp"

#include <portitor/api/served_schema.hpp>

#include <boost/json/parse.hpp>

using namespace portitor::api;
namespace json = boost::json;

namespace {

served_schema read(const std::string& schemas)
{
    return read_served_schema(json::parse(R"({"components": {"schemas": {)" + schemas + "}}}").as_object());
}

}  // namespace

TEST_CASE("a kind that is not served counts as whole", "[api][schema]")
{
    CHECK(read("") == served_schema{});
    CHECK(read_served_schema({}) == served_schema{});
}

TEST_CASE("the predecessor's schemas lack what is written", "[api][schema]")
{
    const served_schema found = read(R"(
        "org.obol.v1alpha1.ServiceOffer": {"type": "object", "properties": {"status": {"type": "object", "properties": {
            "conditions": {"type": "array", "items": {"type": "object", "properties": {"type": {"type": "string"}}}}
        }}}},
        "org.obol.v1alpha1.RegistrationRequest": {"type": "object", "properties": {"spec": {"type": "object",
            "properties": {"serviceOfferName": {"type": "string"}}}}})");
    CHECK_FALSE(found.offer_phase);
    CHECK_FALSE(found.offer_condition_generation);
    CHECK(found.request_lacks == "spec.name");
}

TEST_CASE("a schema that keeps what it does not know lacks nothing", "[api][schema]")
{
    const served_schema found = read(R"(
        "org.obol.v1alpha1.ServiceOffer": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "org.obol.v1alpha1.RegistrationRequest": {"type": "object", "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "status": {"type": "object", "properties": {"phase": {"type": "string"}}}}})");
    CHECK(found.offer_phase);
    CHECK(found.offer_condition_generation);
    CHECK(found.request_lacks == "status.observedGeneration");
}

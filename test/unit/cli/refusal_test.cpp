#include "catch.hpp"
#include "cli/cluster/refusal.hpp"

using namespace portitor;

namespace {

std::string told(const std::string& message)
{
    return cli::refusal_in_words(kube::api_error(500, "InternalError", message, {}));
}

}  // namespace

TEST_CASE("what an apply cannot merge is told by field, without Go's values", "[cli][refusal]")
{
    const std::string head =
        "failed to create typed patch object (shop/hello; obol.org/v1alpha1, Kind=ServiceOffer): ";
    CHECK(
        told(head + ".spec.price: expected string, got &value.valueUnstructured{Value:0.01}") ==
        "spec.price: a text is expected, so numbers and words such as yes stand in quotes"
    );
    CHECK(
        told(
            head + "errors:\n  .spec.a: field not declared in schema\n  .spec.b[0]: expected list, got &{x}"
        ) ==
        "spec.a: the cluster's custom resource has no such field; it may be of another version of Portitor; "
        "spec.b[0]: a list is expected"
    );
    CHECK(told(head + "nothing known") == "nothing known");
    CHECK(told("failed to create typed") == "failed to create typed");
}

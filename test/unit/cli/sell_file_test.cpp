#include "catch.hpp"
#include "cli/sell/offer_file.hpp"
#include "cli/sell/spec_changes.hpp"

#include <portitor/kube/object.hpp>

#include <boost/json/parse.hpp>

using namespace portitor;
using namespace portitor::cli::sell;
namespace json = boost::json;

TEST_CASE("a file holds a manifest or a spec", "[cli][sell]")
{
    const auto spec = read_offer_file("upstream: {service: a}\n").value();
    CHECK(spec.name.empty());
    CHECK(kube::string_at(spec.spec, "upstream.service") == "a");
    const auto whole =
        read_offer_file(
            "apiVersion: obol.org/v1alpha1\nkind: ServiceOffer\n"
            "metadata: {name: one, namespace: s, labels: {a: b}}\nspec: {path: /x}\nstatus: {phase: x}\n"
        )
            .value();
    CHECK(whole.name == "one");
    CHECK(whole.ns == "s");
    CHECK(kube::string_at(whole.spec, "path") == "/x");
    CHECK(whole.labels.contains("a"));
    CHECK(!read_offer_file("apiVersion: v1\nkind: Service\nspec: {}\n"));
    CHECK(!read_offer_file("[1]"));
    CHECK(!read_offer_file("a: 1\n---\nb: 1\n"));
}

TEST_CASE("changes of a spec are told by field", "[cli][sell]")
{
    const auto changes = spec_changes(
        json::parse(R"({"a":{"b":1,"c":"x"},"d":[1],"same":true})"),
        json::parse(R"({"a":{"b":2,"e":"\u001b"},"d":[2],"same":true})")
    );
    CHECK(
        changes ==
        std::vector<std::string>{
            "spec.a.b: 1 -> 2",
            "spec.a.c: \"x\" -> (none)",
            "spec.a.e: (none) -> \"\\u001b\"",
            "spec.d: [1] -> [2]"}
    );
}

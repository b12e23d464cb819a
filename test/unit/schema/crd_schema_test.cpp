#include <portitor/schema/crd_schema.hpp>

#include <catch.hpp>

using namespace portitor;

TEST_CASE("every CRD that is compiled in can be read, with all of its rules", "[schema]")
{
    for (const std::string_view kind : schema::crd_kinds())
    {
        const auto read = schema::crd_schema::parse(std::string(schema::crd_text(kind)));
        INFO((read ? "" : read.error().message()));
        REQUIRE(read.has_value());
        CHECK(read->kind() == kind);
        CHECK(read->api_version() == "obol.org/v1alpha1");
    }
    CHECK(schema::crd_text("Service").empty());
}

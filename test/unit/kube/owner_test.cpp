#include "catch.hpp"
#include "objects.hpp"

#include <portitor/kube/owner.hpp>

#include <boost/json/value.hpp>

using namespace portitor;
using namespace portitor::kube;
using namespace portitor::kube::samples;

namespace {

constexpr resource widgets{"test.example", "v1", "widgets", "Widget"};
constexpr resource namespaces{"", "v1", "namespaces", "Namespace"};

object_meta owner_in(std::string ns)
{
    object_meta out;
    out.ns = std::move(ns);
    out.name = "w";
    out.uid = "u-1";
    return out;
}

}  // namespace

TEST_CASE("an owner controls its child in the same namespace", "[kube][owner]")
{
    const auto made = make_controller_reference(widgets, owner_in("shop"), "shop");
    REQUIRE(made.has_value());
    CHECK(
        *made == json_object(R"({"apiVersion": "test.example/v1", "kind": "Widget", "name": "w", "uid": "u-1",
                                   "controller": true, "blockOwnerDeletion": true})")
    );
}

TEST_CASE("an owner without a namespace may own anywhere", "[kube][owner]")
{
    const auto made = make_controller_reference(namespaces, owner_in(""), "shop");
    REQUIRE(made.has_value());
    CHECK(made->at("apiVersion") == "v1");
    CHECK(make_controller_reference(namespaces, owner_in(""), "").has_value());
}

TEST_CASE("a child elsewhere cannot be owned: the garbage collector would delete it", "[kube][owner]")
{
    for (const char* ns : {"other", "Shop", "shop2", ""})
    {
        CAPTURE(ns);
        const auto made = make_controller_reference(widgets, owner_in("shop"), ns);
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().code() == errc::invalid);
        CHECK(made.error().message().find("Widget shop/w") != std::string::npos);
    }
}

TEST_CASE("an owner that was never written is none", "[kube][owner]")
{
    object_meta nameless = owner_in("shop");
    nameless.name.clear();
    object_meta unwritten = owner_in("shop");
    unwritten.uid.clear();
    for (const object_meta& owner : {nameless, unwritten})
    {
        const auto made = make_controller_reference(widgets, owner, "shop");
        REQUIRE_FALSE(made.has_value());
        CHECK(made.error().code() == errc::invalid);
    }
}

#include "catch.hpp"
#include "run.hpp"
#include "scripted_api.hpp"

#include <portitor/kube/list_all.hpp>

#include <boost/json/object.hpp>

using namespace portitor;
using namespace portitor::kube;
using portitor::test::run;
namespace json = boost::json;

namespace {

constexpr resource widgets{"test.example", "v1", "widgets", "Widget"};

json::object widget(const std::string& name, const std::string& text = {})
{
    return {
        {"apiVersion", "test.example/v1"},
        {"kind", "Widget"},
        {"metadata", {{"name", name}, {"namespace", "shop"}, {"uid", "u-" + name}, {"resourceVersion", "1"}}},
        {"spec", {{"text", text}}}};
}

/// A server whose list goes on after each page.
struct fixture
{
    boost::asio::io_context context;
    samples::scripted_api server;
    stop_signal stop{context.get_executor()};
    list_bounds bounds{.stop = &stop};

    fixture()
    {
        for (int i = 0; i < 20; ++i)
            server.on_list(
                {widget(fmt::format("w-{}", i), std::string(1000, 'x'))}, "1", fmt::format("t{}", i)
            );
    }

    std::string complaint()
    {
        const auto listed = run(context, list_objects(server, widgets, {{}}, bounds));
        return listed ? "no error" : listed.error().message();
    }
};

}  // namespace

TEST_CASE("a list that its server does not end ends at a bound", "[kube][list]")
{
    fixture f;
    SECTION("of pages")
    {
        f.bounds.pages = 7;
        CHECK(
            f.complaint() ==
            "the API server's list of widgets does not end within 7 pages: nothing is made of it"
        );
        CHECK(f.server.calls.size() == 7);
    }
    SECTION("of objects")
    {
        f.bounds.objects = 3;
        CHECK(f.complaint().find("does not end within 3 objects") != std::string::npos);
        CHECK(f.server.calls.size() == 4);
    }
    SECTION("of bytes")
    {
        f.bounds.bytes = 5'500;
        CHECK(f.complaint().find("does not end within 5500 bytes") != std::string::npos);
        CHECK(f.server.calls.size() < 7);
    }
}

TEST_CASE("who asks for the end ends a list", "[kube][list]")
{
    fixture f;
    int pages = 0;
    f.server.before_list = [&]() -> boost::asio::awaitable<void> {
        if (++pages == 3)
            f.stop.request();
        co_return;
    };
    const auto listed = run(f.context, list_objects(f.server, widgets, {{}}, f.bounds));
    REQUIRE(listed.has_error());
    CHECK(listed.error().code() == errc::canceled);
    CHECK(listed.error().message() == "interrupted while widgets were being listed");
    CHECK(pages == 3);
}

TEST_CASE("a list within its bounds is whole", "[kube][list]")
{
    fixture f;
    f.server.on_list({widget("last")}, "1");
    const auto listed = run(f.context, list_objects(f.server, widgets, {{}}, f.bounds));
    REQUIRE(listed.has_value());
    CHECK(listed->size() == 21);
    CHECK(listed->back()->meta.name == "last");
}

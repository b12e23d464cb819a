#include "catch.hpp"
#include "manual_timekeeper.hpp"

#include <portitor/kube/write_echo.hpp>

using namespace portitor;
using namespace portitor::kube;
using namespace std::chrono_literals;

namespace {

object_meta seen_at(const std::string& version)
{
    object_meta out;
    out.ns = "shop";
    out.name = "hello";
    out.resource_version = version;
    return out;
}

}  // namespace

TEST_CASE("an object is judged when our own last write is back, or late", "[kube][echo]")
{
    test::manual_timekeeper time;
    write_echo echo(time);
    CHECK_FALSE(echo.wait_for(seen_at("7")));
    echo.note_write({"shop", "hello"}, "10");
    CHECK(echo.wait_for(seen_at("9")) == 2s);
    CHECK_FALSE(echo.wait_for(seen_at("10")));
    CHECK_FALSE(echo.wait_for(seen_at("11")));
    time.advance(1999ms);
    CHECK(echo.wait_for(seen_at("9")));
    time.advance(1ms);
    CHECK_FALSE(echo.wait_for(seen_at("9")));
    echo.note_write({"shop", "hello"}, "20");
    CHECK(echo.wait_for(seen_at("19")));
    echo.forget({"shop", "hello"});
    CHECK_FALSE(echo.wait_for(seen_at("19")));
}

TEST_CASE("a deletion of ours is no news, once", "[kube][echo]")
{
    test::manual_timekeeper time;
    write_echo echo(time);
    echo.note_deletion("uid-1");
    CHECK_FALSE(echo.take_deletion("uid-2"));
    CHECK(echo.take_deletion("uid-1"));
    CHECK_FALSE(echo.take_deletion("uid-1"));
}

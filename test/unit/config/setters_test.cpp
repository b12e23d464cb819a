#include "catch.hpp"

#include <portitor/config/setters.hpp>

using namespace portitor;

TEST_CASE("a Service has a port, the usual one where none is written", "[config][setters]")
{
    config::service_port read;
    const auto given = [&](const char* value) { return config::set_service_port(read)(value).has_value(); };
    REQUIRE(given("portitor/portitor-controller"));
    CHECK(read.service == kube::object_key{"portitor", "portitor-controller"});
    CHECK(read.port == 8080);
    REQUIRE(given("portitor/portitor-controller:9000"));
    CHECK(read.service.name == "portitor-controller");
    CHECK(read.port == 9000);
    for (const char* bad :
         {"portitor", "a/b:", "a/b:0", "a/b:65536", "a/b:http", "a/b:80:80", ":80", "a/b/c:80", "/b", "a/:1"})
    {
        CAPTURE(bad);
        CHECK_FALSE(given(bad));
        CHECK(read.port == 9000);
    }
}

TEST_CASE("times are written as Kubernetes writes them", "[config][setters]")
{
    std::chrono::seconds read{0};
    const auto set = config::set_seconds(read);
    REQUIRE(set("15s").has_value());
    CHECK(read == std::chrono::seconds(15));
    REQUIRE(set("2m").has_value());
    CHECK(read == std::chrono::minutes(2));
    for (const char* bad : {"", "15", "s", "-1s", "1d", "1.5s", "86401s", "15 s"})
        CHECK_FALSE(set(bad).has_value());
    CHECK(read == std::chrono::minutes(2));
}

TEST_CASE("sizes are written as Kubernetes writes them", "[config][setters]")
{
    std::uint64_t read = 0;
    const auto set = config::set_bytes(read);
    const std::vector<std::pair<const char*, std::uint64_t>> good{
        {"1000", 1000},
        {"2Ki", 2048},
        {"768Mi", 805'306'368},
        {"1Gi", 1'073'741'824},
        {"1Ti", 1'099'511'627'776}};
    for (const auto& [text, bytes] : good)
    {
        CAPTURE(text);
        REQUIRE(set(text).has_value());
        CHECK(read == bytes);
    }
    for (const char* bad : {"", "Mi", "1M", "1 Mi", "-1Mi", "1.5Gi", "1Pi", "1Mib", "4294967295Ti"})
    {
        CAPTURE(bad);
        CHECK_FALSE(set(bad).has_value());
    }
    CHECK(read == 1'099'511'627'776);
}

TEST_CASE("a URL is kept without its last slash", "[config][setters]")
{
    std::string read;
    const auto set = config::set_url(read);
    REQUIRE(set("https://api.example.com/").has_value());
    CHECK(read == "https://api.example.com");
    REQUIRE(set("").has_value());
    CHECK(read.empty());
    CHECK_FALSE(set("example.com").has_value());
}

TEST_CASE("a selector that no label can match is refused", "[config][setters]")
{
    std::string read;
    const auto set = config::set_selector(read);
    for (const char* good :
         {"",
          "team",
          "!team",
          "team=shop",
          "example.com/team == shop,tier!=free",
          "team in (a, b),tier notin (c)",
          "team="})
    {
        CAPTURE(good);
        CHECK(set(good).has_value());
        CHECK(read == good);
    }
    read = "kept";
    for (const char* bad :
         {"team: shop",
          "team:shop",
          "team=my shop",
          "team=shop;tier=free",
          "team in (a",
          "=x",
          "a=b=c",
          "{team: shop}",
          "team>5"})
    {
        CAPTURE(bad);
        CHECK_FALSE(set(bad).has_value());
    }
    CHECK(read == "kept");
}

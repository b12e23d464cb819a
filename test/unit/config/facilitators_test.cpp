#include "catch.hpp"
#include "given_options.hpp"

#include <portitor/config/facilitators.hpp>

using namespace portitor;
using config::facilitator_list;
using portitor::test::complaint;
using portitor::test::complaint_about;
using portitor::test::has;

TEST_CASE("a default facilitator that is a URL is the list's entry \"default\"", "[config][facilitators]")
{
    facilitator_list read;
    REQUIRE(complaint(read, {"--default-facilitator=https://pay.example.com/"}) == "no error");
    REQUIRE(read.entries.size() == 1);
    CHECK(read.default_name == "default");
    CHECK(read.find("default")->url == "https://pay.example.com");
    CHECK(read.find("other") == nullptr);
    CHECK(has(complaint(read, {"--default-facilitator=ours"}), "--default-facilitator: \"ours\" is neither"));
}

TEST_CASE("the list's own entry \"default\" is not replaced", "[config][facilitators]")
{
    facilitator_list read;
    REQUIRE(complaint_about(read, "facilitators:\n- {name: default, url: https://ours}\n") == "no error");
    CHECK(read.find("default")->url == "https://ours");
}

TEST_CASE("a facilitator is asked over http at home only", "[config][facilitators]")
{
    const auto at = [](const std::string& url, bool allowed) {
        facilitator_list read;
        const std::string flag = allowed ? "true" : "false";
        return complaint(read, {"--default-facilitator=" + url, "--allow-insecure-facilitator=" + flag});
    };
    CHECK(at("http://127.0.0.1:1", true) == "no error");
    CHECK(has(at("http://127.0.0.1:1", false), "facilitator default: http://127.0.0.1:1 is not https"));
    CHECK(has(at("http://pay.example.com", true), "is not https"));
}

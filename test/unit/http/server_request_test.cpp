#include "catch.hpp"

#include <portitor/http/server_request.hpp>

#include <string>

using namespace portitor::http;

TEST_CASE("a request finds the first header of a name, in any case", "[core][server_request]")
{
    server_request message;
    message.set_start(verb::post, "POST", "/a?b", 11);
    message.add_header("X-One", "1");
    message.add_header("x-two", "2");
    message.add_header("X-ONE", "3");
    message.add_header("X-Empty", "");
    CHECK(message["x-one"] == "1");
    CHECK(message["X-TWO"] == "2");
    CHECK(message["X-Empty"].empty());
    CHECK(message["X-On"].empty());
    CHECK(message["X-Onee"].empty());
    CHECK(message[""].empty());
    REQUIRE(message.headers().size() == 4);
    CHECK(message.headers()[2].name == "X-ONE");
    CHECK(message.headers()[2].value == "3");
    CHECK(message.method() == verb::post);
    CHECK(message.method_string() == "POST");
    CHECK(message.target() == "/a?b");
    CHECK(message.version() == 11);
}

TEST_CASE("names are equal in any case of ASCII letters, and of these only", "[core][server_request]")
{
    CHECK(equal_names("", ""));
    CHECK(equal_names("AZaz09-_", "azAZ09-_"));
    CHECK_FALSE(equal_names("a", "b"));
    CHECK_FALSE(equal_names("a", "ab"));
    CHECK_FALSE(equal_names("@", "`"));  // 32 apart, as letters are
    CHECK_FALSE(equal_names("[", "{"));
    CHECK_FALSE(equal_names("\xc4", "\xe4"));
}

TEST_CASE("a request holds copies, and is as new after clear()", "[core][server_request]")
{
    server_request message;
    for (int round = 0; round < 3; ++round)
    {
        for (const std::size_t size :
             {std::size_t(10), std::size_t(60'000), std::size_t(0), std::size_t(5000)})
        {
            message.clear();
            CHECK(message.headers().empty());
            CHECK(message.target().empty());
            CHECK(message.body().empty());
            std::string target = "/" + std::string(size, 't');
            std::string value(size, 'v');
            message.set_start(verb::get, "GET", target, 10);
            for (int i = 0; i < 300; ++i)
                message.add_header("X" + std::to_string(i), i % 10 == 0 ? value : "small");
            message.append_body(value);
            message.append_body("end");
            target.assign(target.size(), '?');
            CHECK(message.target() == "/" + value.replace(0, size, size, 't'));
            value.assign(size, 'v');
            CHECK(message["x290"] == value);
            CHECK(message["x299"] == "small");
            CHECK(message.body() == value + "end");
            CHECK(message.headers().size() == 300);
        }
    }
}

TEST_CASE("a usual request finds the memory of the one before", "[core][server_request]")
{
    server_request message;
    const char* first = nullptr;
    for (int round = 0; round < 3; ++round)
    {
        message.clear();
        message.set_start(verb::get, "GET", "/target", 11);
        for (int i = 0; i < 20; ++i)
            message.add_header("X-Header", "its value");
        const char* const place = message.headers()[19].value.data();
        if (first == nullptr)
            first = place;
        CHECK(place == first);
    }
}

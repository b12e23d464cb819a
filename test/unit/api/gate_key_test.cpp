#include "catch.hpp"
#include "files.hpp"

#include <portitor/api/gate_key.hpp>

#include <set>

using namespace portitor;
using namespace portitor::api;

namespace {

const std::string secret = "0123456789abcdef0123456789abcdef";

}  // namespace

TEST_CASE(
    "an offer's token is the HMAC-SHA-256 of namespace, name and UID with their lengths", "[api][gate_key]"
)
{
    // Worked out with hmac and hashlib of Python.
    const gate_key key = gate_key::make(secret).value();
    CHECK(
        key.token_for("shop", "hello", "u1") ==
        "71e26f9ef4a71e8667b3532d0b186f89e0f0bad26ffa7ae39719246792b514d0"
    );
    CHECK(
        gate_key::make(std::string(100, 'k')).value().token_for("", "", "") ==
        "945a3443c64482e9eb50eb7987c8892fa067db977d1913c2225702899a77ccc5"
    );
}

TEST_CASE("no two offers have one token, and no two keys make one", "[api][gate_key]")
{
    const gate_key key = gate_key::make(secret).value();
    const gate_key other = gate_key::make("1" + secret).value();
    const std::set<std::string> all{
        key.token_for("shop", "hello", "u1"),
        key.token_for("shop", "hello", "u2"),
        key.token_for("shop", "hell", "ou1"),
        key.token_for("shoph", "ello", "u1"),
        key.token_for("shop", "u1", "hello"),
        key.token_for("shophellou1", "", ""),
        other.token_for("shop", "hello", "u1"),
    };
    CHECK(all.size() == 7);
}

TEST_CASE("tokens are the same only where all of them is", "[api][gate_key]")
{
    CHECK(same_token("abc", "abc"));
    CHECK_FALSE(same_token("abc", "abd"));
    CHECK_FALSE(same_token("abc", "xbc"));
    CHECK_FALSE(same_token("abc", "ab"));
    CHECK_FALSE(same_token("abc", "abcd"));
    CHECK_FALSE(same_token("abc", ""));
    CHECK_FALSE(same_token("abc", "ABC"));
}

TEST_CASE("a gate key that is short or long is refused, and not repeated", "[api][gate_key]")
{
    const test::temp_folder folder;
    CHECK(gate_key::make(std::string(32, 'x')).has_value());
    CHECK(gate_key::make(std::string(1024, 'x')).has_value());
    for (const std::size_t size : {0, 1, 31, 1025})
    {
        const auto refused = gate_key::make(std::string(size, 'x'));
        REQUIRE(refused.has_error());
        CHECK(refused.error().code() == errc::invalid);
        CHECK(refused.error().message().find("xx") == std::string::npos);
    }
    CHECK(gate_key::read(folder.write("key", secret + "\n")).value() == gate_key::make(secret).value());
    // White space is no part of it.
    CHECK(gate_key::read(folder.write("key", std::string(31, 'x') + "\n\n")).has_error());
    const auto missing = gate_key::read(folder.path("none"));
    REQUIRE(missing.has_error());
    CHECK(missing.error().code() == errc::not_found);
}

TEST_CASE("a token stands in the address as its whole query, and nowhere else", "[api][gate_key]")
{
    CHECK(gate_address("http://v:8080", "shop", "hello", "") == "http://v:8080/verify/shop/hello");
    const std::string address = gate_address("http://v:8080", "shop", "hello", "abc");
    CHECK(address == "http://v:8080/verify/shop/hello?token=abc");
    CHECK(token_in(address) == "abc");
    for (const char* other :
         {"/verify/shop/hello",
          "/verify/shop/hello?",
          "/verify/shop/hello?token",
          "/verify/shop/hello?token=",
          "/verify/shop/hello?x=1&token=abc",
          "/verify/shop/hello?token=abc&token=def",
          "/verify/shop/hello?Token=abc",
          "/verify/shop/hello/token=abc",
          "token=abc",
          ""})
    {
        INFO(other);
        CHECK(token_in(other).empty());
    }
}

#include "catch.hpp"

#include <portitor/x402/base64.hpp>

using namespace portitor;
using x402::decode_base64;
using x402::encode_base64;

TEST_CASE("base64 knows the vectors of RFC 4648", "[x402][base64]")
{
    const std::pair<std::string, std::string> vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {std::string("\x00\xff\xfe\x3e\x3f", 5), "AP/+Pj8="},
    };
    for (const auto& [bytes, text] : vectors)
    {
        INFO(text);
        CHECK(encode_base64(bytes) == text);
        CHECK(decode_base64(text).value() == bytes);
        CHECK(decode_base64(text.substr(0, text.find('='))).value() == bytes);
    }
}

TEST_CASE("base64 that is not standard is refused", "[x402][base64]")
{
    for (const char* text :
         {"A",      "Zm9vY", "Zg=",  "Zg===", "Zg==Zg==",        "=",    "==",   "====", "Z===", "Zm 8=",
          "Zm8=\n", "Zm-_",  "Zh==", "Zm9=",  "Zm9v=",           "!m9v", "Z!9v", "Zm!v", "Zm9!", "!m9",
          "Z!9",    "Zm!",   "!m",   "Z!",    "\xc3\xa9\xc3\xa9"})
    {
        INFO(text);
        REQUIRE(decode_base64(text).has_error());
        CHECK(decode_base64(text).error().code() == errc::invalid);
    }
}

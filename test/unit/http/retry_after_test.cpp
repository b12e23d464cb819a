#include "catch.hpp"

#include <portitor/http/retry_after.hpp>

using namespace portitor;
using std::chrono::seconds;

namespace {

seconds asked(const std::string& text, const std::string& date = "")
{
    boost::beast::http::fields headers;
    headers.set(http::field::retry_after, text);
    if (!date.empty())
        headers.set(http::field::date, date);
    return http::retry_after(headers);
}

}  // namespace

TEST_CASE("Retry-After in seconds", "[core][http]")
{
    CHECK(asked("0") == seconds(0));
    CHECK(asked("120") == seconds(120));
    CHECK(asked("86401") == seconds(86'400));
    CHECK(asked("99999999999999999999999") == seconds(86'400));
    for (const char* text : {"", "-1", "+1", "1.5", "1s", "soon", "0x10"})
    {
        INFO(text);
        CHECK(asked(text) == seconds(0));
    }
    CHECK(http::retry_after(boost::beast::http::fields()) == seconds(0));
}

TEST_CASE("Retry-After as a date counts from the answer's own Date", "[core][http]")
{
    const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT";
    CHECK(asked("Sun, 06 Nov 1994 08:50:07 GMT", date) == seconds(30));
    CHECK(asked("Sunday, 06-Nov-94 08:50:07 GMT", date) == seconds(30));
    CHECK(asked("Sun Nov  6 08:50:07 1994", date) == seconds(30));
    CHECK(asked("Mon, 07 Nov 1994 08:49:38 GMT", date) == seconds(86'400));
    CHECK(asked("Sun, 06 Nov 1994 08:49:00 GMT", date) == seconds(0));
    CHECK(asked("Sun, 06 Nov 1994 08:50:07 GMT") == seconds(0));
    CHECK(asked("Sun, 06 Nov 1994 08:50:07 GMT", "yesterday") == seconds(0));
    CHECK(asked("Sun, 06 Nov 1994 08:50:07", date) == seconds(0));
}

#include "catch.hpp"
#include "kube/dated_clock.hpp"

using namespace portitor;
using namespace std::chrono_literals;
using kube::dated_clock;

namespace {

constexpr timekeeper::time_point start(1000s);

boost::beast::http::fields dated(const char* text)
{
    boost::beast::http::fields out;
    out.set(boost::beast::http::field::date, text);
    return out;
}

std::string shown(const dated_clock& of, timekeeper::time_point now)
{
    const auto at = of.at(now);
    return at ? to_rfc3339(*at) : "none";
}

}  // namespace

TEST_CASE("a server's clock is that of its answers, and goes on", "[kube]")
{
    dated_clock there;
    CHECK(shown(there, start) == "none");
    there.note({}, start);
    there.note(dated("soon"), start);
    there.note(dated("Fri, 31 Dec 9999 23:59:59 GMT"), start);
    CHECK(shown(there, start) == "none");
    there.note(dated("Tue, 24 Nov 2026 20:00:00 GMT"), start);
    CHECK(shown(there, start) == "2026-11-24T20:00:00Z");
    CHECK(shown(there, start + 90s) == "2026-11-24T20:01:30Z");
}

TEST_CASE("a server's clock goes on steadily, and follows a change", "[kube]")
{
    dated_clock there;
    there.note(dated("Tue, 24 Nov 2026 20:00:00 GMT"), start);
    // Cut to seconds, or late: the same clock.
    there.note(dated("Tue, 24 Nov 2026 20:00:08 GMT"), start + 10s);
    CHECK(shown(there, start + 10s) == "2026-11-24T20:00:10Z");
    there.note(dated("Tue, 24 Nov 2026 20:00:12 GMT"), start + 10s);
    CHECK(shown(there, start + 10s) == "2026-11-24T20:00:10Z");
    there.note(dated("Tue, 24 Nov 2026 20:01:00 GMT"), start + 11s);
    CHECK(shown(there, start + 11s) == "2026-11-24T20:01:00Z");
    there.note(dated("Tue, 24 Nov 2026 19:00:00 GMT"), start + 12s);
    CHECK(shown(there, start + 12s) == "2026-11-24T19:00:00Z");
}

#include "route/route_counters.hpp"
#include "verifier_world.hpp"

#include <thread>

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

std::string series(std::string_view route, std::string_view outcome, int value)
{
    return fmt::format(
        "portitor_verify_requests_total{{route=\"{}\",outcome=\"{}\"}} {}\n", route, outcome, value
    );
}

bool has(const metrics& numbers, const std::string& text)
{
    return numbers.expose().find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("a series appears with its first question", "[verifier][counters]")
{
    metrics numbers;
    route_counters of(numbers, "shop/hello");
    CHECK_FALSE(has(numbers, "shop/hello"));
    of.add(outcome::paid);
    of.add(outcome::paid);
    CHECK(has(numbers, series("shop/hello", "paid", 2)));
    for (const char* other : outcome_names)
    {
        INFO(other);
        CHECK(has(numbers, fmt::format("outcome=\"{}\"", other)) == (std::string_view(other) == "paid"));
    }
    of.add(outcome::internal);
    CHECK(has(numbers, series("shop/hello", "internal", 1)));
}

TEST_CASE("every outcome has a name of its own", "[verifier][counters]")
{
    CHECK(to_string(outcome::granted_free) == std::string_view("free"));
    CHECK(to_string(outcome::internal) == std::string_view("internal"));
    const std::set<std::string_view> different(outcome_names.begin(), outcome_names.end());
    CHECK(different.size() == outcome_names.size());
    CHECK(outcome_names.size() == static_cast<std::size_t>(outcome::internal) + 1);
}

TEST_CASE("the series of a route go with it", "[verifier][counters]")
{
    desk d;
    d.put(route_of("mall", "other", "/other/*"));
    d.ask(top);
    d.ask(question("/other", {}, "/verify/mall/other"));
    CHECK(has(d.numbers, series("shop/hello", "payment_required", 1)));
    CHECK(has(d.numbers, series("mall/other", "payment_required", 1)));
    d.erase("shop/hello");
    // Its question is answered by the newest table, and the old one goes.
    d.ask(question("/other", {}, "/verify/mall/other"));
    CHECK_FALSE(has(d.numbers, "shop/hello"));
    CHECK(has(d.numbers, series("mall/other", "payment_required", 2)));
    // It comes back as a new one.
    d.put(route_object());
    CHECK_FALSE(has(d.numbers, "shop/hello"));
    d.ask(top);
    CHECK(has(d.numbers, series("shop/hello", "payment_required", 1)));
}

TEST_CASE("the generations of a route share its numbers", "[verifier][counters]")
{
    desk d;
    d.ask(top);
    for (const char* price : {"\"11\"", "\"12\"", "\"13\""})
    {
        d.put(test::changed(route_object(), "/spec/price", price));
        d.ask(top);
    }
    CHECK(has(d.numbers, series("shop/hello", "payment_required", 4)));
}

TEST_CASE("counters of the same name on several threads are one series", "[verifier][counters]")
{
    metrics numbers;
    const auto shared = std::make_shared<route_counters>(numbers, "shop/hello");
    constexpr int each = 20'000;
    const auto work = [&](int number) {
        route_counters unknown(numbers, "unknown");
        for (int i = 0; i < each; ++i)
        {
            shared->add(i % 2 == 0 ? outcome::paid : outcome::payment_required);
            if (number < 4)
                unknown.add(outcome::unknown_route);
            if (i % 1000 == 0)
                numbers.expose();
        }
    };
    // Keeps the series while threads come and go.
    route_counters first(numbers, "unknown");
    first.add(outcome::unknown_route);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back(work, i);
    for (std::thread& one : threads)
        one.join();
    CHECK(has(numbers, series("shop/hello", "paid", 8 * each / 2)));
    CHECK(has(numbers, series("shop/hello", "payment_required", 8 * each / 2)));
    CHECK(has(numbers, series("unknown", "unknown_route", 4 * each + 1)));
}

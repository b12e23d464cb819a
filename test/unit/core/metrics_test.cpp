#include "catch.hpp"

#include <portitor/core/metrics.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace portitor;

namespace {

bool has_line(const std::string& text, const std::string& line)
{
    return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("counters and gauges are printed with help and type", "[core][metrics]")
{
    metrics numbers;
    numbers.counter("b_total", "Things that happened", {{"code", "200"}, {"host", "a"}}).add(3);
    numbers.counter("b_total", "Things that happened", {{"code", "500"}, {"host", "a"}}).add();
    numbers.gauge("a_depth", "How deep").set(-4);
    CHECK(
        numbers.expose() == "# HELP a_depth How deep\n"
                            "# TYPE a_depth gauge\n"
                            "a_depth -4\n"
                            "# HELP b_total Things that happened\n"
                            "# TYPE b_total counter\n"
                            "b_total{code=\"200\",host=\"a\"} 3\n"
                            "b_total{code=\"500\",host=\"a\"} 1\n"
    );
}

TEST_CASE("asking again gives the same series", "[core][metrics]")
{
    metrics numbers;
    counter& first = numbers.counter("hits", "h", {{"a", "1"}});
    first.add();
    numbers.counter("hits", "h", {{"a", "1"}}).add();
    CHECK(&first == &numbers.counter("hits", "h", {{"a", "1"}}));
    CHECK(&first != &numbers.counter("hits", "h", {{"a", "2"}}));
    CHECK(first.value() == 2);
    gauge& level = numbers.gauge("level", "l");
    level.set(5);
    level.add(-2);
    CHECK(level.value() == 3);
}

TEST_CASE("label values are escaped", "[core][metrics]")
{
    metrics numbers;
    numbers.counter("c", "h", {{"v", "a\"b\\c\nd\"} 1\nforged 2"}}).add();
    const std::string text = numbers.expose();
    CHECK(has_line(text, R"(c{v="a\"b\\c\nd\"} 1\nforged 2"} 1)"));
    CHECK_FALSE(has_line(text, "forged 2"));
}

TEST_CASE("a histogram's buckets are cumulative", "[core][metrics]")
{
    metrics numbers;
    histogram& seconds = numbers.histogram("d_seconds", "Durations", {{"x", "y"}});
    seconds.observe(0.0005);
    seconds.observe(0.001);  // a bound belongs to its bucket
    seconds.observe(0.3);
    seconds.observe(0.3);
    seconds.observe(100);
    const std::string text = numbers.expose();
    CHECK(has_line(text, "# TYPE d_seconds histogram"));
    CHECK(has_line(text, R"(d_seconds_bucket{x="y",le="0.001"} 2)"));
    CHECK(has_line(text, R"(d_seconds_bucket{x="y",le="0.0025"} 2)"));
    CHECK(has_line(text, R"(d_seconds_bucket{x="y",le="0.25"} 2)"));
    CHECK(has_line(text, R"(d_seconds_bucket{x="y",le="0.5"} 4)"));
    CHECK(has_line(text, R"(d_seconds_bucket{x="y",le="30"} 4)"));
    CHECK(has_line(text, R"(d_seconds_bucket{x="y",le="+Inf"} 5)"));
    CHECK(has_line(text, R"(d_seconds_sum{x="y"} 100.6015)"));
    CHECK(has_line(text, R"(d_seconds_count{x="y"} 5)"));
}

TEST_CASE("a histogram without labels has only its bounds", "[core][metrics]")
{
    metrics numbers;
    numbers.histogram("d", "h").observe(-1);  // a clock that went back counts as no time
    const std::string text = numbers.expose();
    CHECK(has_line(text, R"(d_bucket{le="0.001"} 1)"));
    CHECK(has_line(text, R"(d_bucket{le="+Inf"} 1)"));
    CHECK(has_line(text, "d_sum 0"));
    CHECK(has_line(text, "d_count 1"));
}

// The ThreadSanitizer build is the judge of this one.
TEST_CASE("numbers are counted, registered and printed from several threads", "[core][metrics]")
{
    metrics numbers;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&numbers, i] {
            for (int round = 0; round < 200; ++round)
            {
                const auto measuring =
                    numbers.collect([&numbers] { numbers.gauge("depth", "How deep").set(1); });
                numbers.counter("all_total", "All").add();
                numbers.counter("own_total", "Own", {{"thread", std::to_string(i)}}).add();
                numbers.histogram("seconds", "How long").observe(0.01);
                if (round % 20 == 0)
                    numbers.expose();
            }
        });
    for (std::thread& each : threads)
        each.join();
    const std::string text = numbers.expose();
    CHECK(has_line(text, "all_total 800"));
    CHECK(has_line(text, "own_total{thread=\"3\"} 200"));
    CHECK(has_line(text, "seconds_count 800"));
}

TEST_CASE("what is measured is up to date in each exposition", "[core][metrics]")
{
    metrics numbers;
    gauge& level = numbers.gauge("level", "h");
    int asked = 0;
    const auto measuring = numbers.collect([&] { level.set(++asked); });
    CHECK(asked == 0);
    CHECK(has_line(numbers.expose(), "level 1"));
    CHECK(has_line(numbers.expose(), "level 2"));
}

TEST_CASE("whoever measures may ask for series", "[core][metrics]")
{
    metrics numbers;
    const auto measuring = numbers.collect([&] { numbers.gauge("made", "h", {{"a", "b"}}).set(7); });
    CHECK(has_line(numbers.expose(), "made{a=\"b\"} 7"));
}

TEST_CASE("a collector that goes takes its measuring along, and nobody else's", "[core][metrics]")
{
    metrics numbers;
    std::string calls;
    const auto first = numbers.collect([&] { calls += "a"; });
    {
        auto second = numbers.collect([&] { calls += "b"; });
        const auto third = numbers.collect([&] { calls += "c"; });
        numbers.expose();
        CHECK(calls == "abc");
        // Moved, it is still one.
        const auto moved = std::move(second);
        calls.clear();
        numbers.expose();
        CHECK(calls == "abc");
    }
    calls.clear();
    numbers.expose();
    CHECK(calls == "a");
}

TEST_CASE("a shared counter ends with its last holder", "[core][metrics]")
{
    metrics numbers;
    auto held = numbers.shared_counter("s_total", "Shared", {{"route", "a"}});
    auto again = numbers.shared_counter("s_total", "Shared", {{"route", "a"}});
    const auto other = numbers.shared_counter("s_total", "Shared", {{"route", "b"}});
    CHECK(held == again);
    CHECK(held != other);
    held->add(2);
    again->add();
    CHECK(has_line(numbers.expose(), R"(s_total{route="a"} 3)"));
    CHECK(has_line(numbers.expose(), R"(s_total{route="b"} 0)"));
    held.reset();
    CHECK(has_line(numbers.expose(), R"(s_total{route="a"} 3)"));
    again.reset();
    const std::string text = numbers.expose();
    CHECK(text.find(R"(route="a")") == text.npos);
    CHECK(has_line(text, R"(s_total{route="b"} 0)"));
    // Who comes later begins anew.
    held = numbers.shared_counter("s_total", "Shared", {{"route", "a"}});
    CHECK(has_line(numbers.expose(), R"(s_total{route="a"} 0)"));
}

TEST_CASE("shared counters come and go on several threads", "[core][metrics]")
{
    metrics numbers;
    const auto kept = numbers.shared_counter("kept_total", "Kept", {});
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&numbers, i] {
            for (int round = 0; round < 200; ++round)
            {
                numbers.shared_counter("kept_total", "Kept", {})->add();
                numbers.shared_counter("own_total", "Own", {{"n", std::to_string((round + i) % 5)}})->add();
                if (round % 20 == 0)
                    numbers.expose();
            }
        });
    for (std::thread& each : threads)
        each.join();
    const std::string text = numbers.expose();
    CHECK(has_line(text, "kept_total 800"));
    CHECK(text.find("own_total{") == text.npos);
}

#include "catch.hpp"

#include <portitor/core/log.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>
#include <fcntl.h>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace portitor;
namespace json = boost::json;

namespace {

// What is written to stderr while `work` runs; must fit into a pipe.
std::string stderr_of(const std::function<void()>& work)
{
    int ends[2];
    if (pipe2(ends, O_NONBLOCK) != 0)
        throw std::runtime_error("no pipe");
    const int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
    work();
    dup2(saved, STDERR_FILENO);
    close(saved);
    std::string out;
    char piece[4096];
    for (ssize_t got; (got = read(ends[0], piece, sizeof(piece))) > 0;)
        out.append(piece, static_cast<std::size_t>(got));
    close(ends[0]);
    return out;
}

// The line as JSON; fails the test where it is not one line of valid JSON.
json::object json_of(const std::function<void(const logger&)>& work)
{
    const logger log(log_level::debug, log_format::json);
    const std::string text = stderr_of([&] { work(log); });
    CAPTURE(text);
    REQUIRE(!text.empty());
    CHECK(text.find('\n') == text.size() - 1);
    boost::system::error_code ec;
    const json::value parsed = json::parse(text, ec);
    CHECK_FALSE(ec);
    return parsed.is_object() ? parsed.get_object() : json::object();
}

std::string text_of(json::object line, const char* key)
{
    const json::value* value = line.if_contains(key);
    return value && value->is_string() ? std::string(value->get_string()) : "none";
}

}  // namespace

TEST_CASE("a JSON line holds time, level, message and typed fields", "[core][log]")
{
    const json::object line = json_of([](const logger& log) {
        log.warn("something", {{"count", 7}, {"share", 0.5}, {"good", true}, {"name", "x"}, {"sign", -1}});
    });
    CHECK(text_of(line, "level") == "warn");
    CHECK(text_of(line, "msg") == "something");
    CHECK(text_of(line, "ts").size() == std::string("2026-11-24T20:17:00.000Z").size());
    CHECK(line.at("count") == 7);
    CHECK(line.at("share") == 0.5);
    CHECK(line.at("good") == true);
    CHECK(line.at("sign") == -1);
    CHECK(text_of(line, "name") == "x");
}

TEST_CASE("hostile values stay inside their JSON string", "[core][log]")
{
    for (const std::string& hostile :
         {std::string("\",\"level\":\"error\",\"x\":\""),
          std::string("line\nbreak\r\n{\"forged\":1}"),
          std::string("back\\slash \\"),
          std::string("nul\0byte", 8),
          std::string("\x1b[31mred\x7f"),
          std::string("näive ☃ 𝄞")})
    {
        const json::object line = json_of([&](const logger& log) {
            log.info("m " + hostile, {{"value", hostile}});
        });
        CHECK(text_of(line, "value") == hostile);
        CHECK(text_of(line, "msg") == "m " + hostile);
        CHECK(text_of(line, "level") == "info");
        CHECK(line.size() == 4);
    }
}

TEST_CASE("bytes that are no UTF-8 do not spoil the JSON", "[core][log]")
{
    for (const std::string& bytes :
         {std::string("\xff\xfe"),
          std::string("cut \xe2\x98"),
          std::string("over\xc0\xaflong"),
          std::string("lone \x80"),
          std::string("surrogate \xed\xa0\x80"),
          std::string("beyond \xf4\x90\x80\x80")})
    {
        const json::object line = json_of([&](const logger& log) { log.info("m", {{"value", bytes}}); });
        CHECK(text_of(line, "value").find("\xef\xbf\xbd") != std::string::npos);
    }
}

TEST_CASE("a long value is cut, and never within a character", "[core][log]")
{
    std::string snow;
    for (int i = 0; i < 3000; ++i)
        snow += "☃";
    const json::object line = json_of([&](const logger& log) {
        log.info("m", {{"value", snow}, {"last", 1}});
    });
    const std::string value = text_of(line, "value");
    CHECK(value.size() > 4000);
    CHECK(value.size() <= 4096);
    CHECK(value.find("\xef\xbf\xbd") == std::string::npos);
    CHECK(line.at("last") == 1);
}

TEST_CASE("numbers that JSON cannot write become strings", "[core][log]")
{
    const json::object line = json_of([](const logger& log) {
        log.info("m", {{"nan", std::nan("")}, {"inf", HUGE_VAL}, {"letter", 'x'}});
    });
    CHECK(text_of(line, "nan") == "nan");
    CHECK(text_of(line, "inf") == "inf");
    CHECK(text_of(line, "letter") == "x");
}

TEST_CASE("lines below the level are not written", "[core][log]")
{
    const auto lines = [](log_level level) {
        const logger log(level, log_format::text);
        const std::string text = stderr_of([&] {
            log.debug("a-debug");
            log.info("an-info");
            log.warn("a-warning");
            log.error("an-error");
        });
        return std::count(text.begin(), text.end(), '\n');
    };
    CHECK(lines(log_level::debug) == 4);
    CHECK(lines(log_level::info) == 3);
    CHECK(lines(log_level::warn) == 2);
    CHECK(lines(log_level::error) == 1);
}

TEST_CASE("a child carries its fields on every line, its parent does not", "[core][log]")
{
    const logger parent(log_level::info, log_format::json);
    const logger child = parent.with({{"role", "verifier"}}).with({{"offer", "a/b"}});
    const std::string from_child = stderr_of([&] { child.info("one", {{"n", 1}}); });
    const json::object line = json::parse(from_child).as_object();
    CHECK(text_of(line, "role") == "verifier");
    CHECK(text_of(line, "offer") == "a/b");
    CHECK(line.at("n") == 1);
    CHECK(stderr_of([&] { parent.info("two"); }).find("verifier") == std::string::npos);
}

TEST_CASE("text lines quote what would break them", "[core][log]")
{
    const logger log(log_level::info, log_format::text);
    const std::string text = stderr_of([&] {
        log.info(
            "done",
            {{"plain", "a/b"}, {"spaced", "a b"}, {"empty", ""}, {"forged", "x\nlevel=error"}, {"n", 3}}
        );
    });
    CHECK(std::count(text.begin(), text.end(), '\n') == 1);
    CHECK(
        text.find(" info  done plain=a/b spaced=\"a b\" empty=\"\" forged=\"x\\nlevel=error\" n=3\n") !=
        text.npos
    );
}

TEST_CASE("lines from several threads stay whole", "[core][log]")
{
    const logger log(log_level::info, log_format::json);
    const std::string out = stderr_of([&] {
        std::vector<std::thread> threads;
        for (int i = 0; i < 4; ++i)
            threads.emplace_back([&log, i] {
                const logger own = log.with({{"thread", i}});
                for (int round = 0; round < 20; ++round)
                    own.info("a line", {{"round", round}});
            });
        for (std::thread& each : threads)
            each.join();
    });
    CHECK(std::count(out.begin(), out.end(), '\n') == 80);
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);)
        CHECK(json::parse(line).is_object());
}

#include "verifier_world.hpp"

#include <boost/json/value_from.hpp>

#include <cstdlib>
#include <iostream>
#include <new>

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define PORTITOR_SANITIZED 1
#include <sanitizer/allocator_interface.h>
#else
#define PORTITOR_SANITIZED 0
#endif

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

thread_local std::size_t allocations = 0;
// The one that fails, once, counted like these; 0: none.
thread_local std::size_t failing = 0;

#if PORTITOR_SANITIZED
// The sanitizers bring an operator new of their own, which they check: they are asked instead.
void count_one(const volatile void*, std::size_t)
{
    ++allocations;
}
void ignore_one(const volatile void*) {}
const int installed = __sanitizer_install_malloc_and_free_hooks(count_one, ignore_one);
#endif

}  // namespace

#if !PORTITOR_SANITIZED
// For this whole executable: as the usual ones, but counted.
void* operator new(std::size_t size)
{
    if (++allocations == failing)
        throw std::bad_alloc();
    void* const made = std::malloc(size == 0 ? 1 : size);
    if (made == nullptr)
        throw std::bad_alloc();
    return made;
}
void operator delete(void* gone) noexcept
{
    std::free(gone);
}
void operator delete(void* gone, std::size_t) noexcept
{
    std::free(gone);
}
#endif

namespace {

// How often memory is taken for 1000 questions, once everything has been asked before.
std::size_t count_for(desk& d, const std::vector<question>& asked)
{
    http::server_request message;
    std::string text;
    const auto ask = [&](const question& each) {
        each.write(message);
        text.clear();
        http::response_writer writer(text, true, false);
        if (d.front.answer_to(message, writer))
            throw std::runtime_error("not answered at once");
    };
    for (int i = 0; i < 3; ++i)
    {
        for (const question& each : asked)
            ask(each);
    }
    const std::size_t before = allocations;
    for (std::size_t i = 0; i < 1000; ++i)
        ask(asked[i % asked.size()]);
    return allocations - before;
}

}  // namespace

TEST_CASE("allocations are counted at all", "[verifier][allocation]")
{
    const std::size_t before = allocations;
    const auto held = std::make_unique<std::string>(100, 'x');
    CHECK(held->size() == 100);
    CHECK(allocations >= before + 2);
}

TEST_CASE("in the steady state a 402 takes no memory", "[verifier][allocation]")
{
    desk d("https://a.example");
    d.put(route_of("mall", "other", "/services/other/*"));
    std::string deep = "/services/hello";
    for (int i = 0; i < 40; ++i)
        deep += "/segment";
    const header_list of_browsers{
        {"Accept", "application/json"},
        {"User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36"},
        {"Cookie", std::string(500, 'c')},
        {"X-Forwarded-For", "10.0.0.1, 10.0.0.2"},
        {"X-Forwarded-Port", "443"},
        {"X-Real-Ip", "10.0.0.1"},
        {"Accept-Encoding", "gzip"},
        {"Authorization", "Bearer of the client"},
        {"Origin", "https://a.example"},
    };
    CHECK(count_for(d, {question(top)}) == 0);
    CHECK(
        count_for(
            d,
            {question(top),
             question("/services/hello/report?q=1"),
             question(deep),
             question("/services/hello/a%20b/%63", of_browsers),
             question("/services/other/x", of_browsers, "/verify/mall/other"),
             question(top, of_browsers, "/verify"),
             question("/services/other", {}, "/verify")}
        ) == 0
    );
}

TEST_CASE("in the steady state a free grant takes no memory", "[verifier][allocation]")
{
    desk d;
    CHECK(count_for(d, {question("/services/hello/free/x"), question("/services/hello/free/y/z?q")}) == 0);
}

TEST_CASE("a table that changes costs its readers nothing", "[verifier][allocation]")
{
    desk d;
    const question asked(top);
    CHECK(count_for(d, {asked}) == 0);
    d.put(test::changed(route_object(), "/spec/price", "\"12345\""));
    http::server_request message;
    std::string text;
    text.reserve(16 * 1024);
    asked.write(message);
    const std::size_t before = allocations;
    http::response_writer writer(text, true, false);
    CHECK_FALSE(d.front.answer_to(message, writer).has_value());
    CHECK(allocations == before);
}

TEST_CASE("whatever memory is not there, nothing is given away", "[verifier][allocation]")
{
    if (PORTITOR_SANITIZED)
    {
        std::cout << "SKIPPED: the sanitizer's operator new cannot be made to fail" << std::endl;
        return;
    }
    const captured_log quiet;
    struct asked
    {
        question what;
        unsigned status;
    };
    const std::vector<asked> table{
        {question(top), 402},
        {question("/services/hello/report", {{"Accept", "text/html"}, {"User-Agent", "Mozilla"}}), 402},
        {question("/services/hello/free/x"), 200},
        {question("/services/hello/free/..%2Freport"), 400},
        {question("/elsewhere/that/is/not/the/routes/own"), 403},
        {question(top, {{"X_Payer_With_A_Long_Name_To_Be_Allocated", "1"}}), 402},
        {question(top, {}, "/verify/shop/other"), 503},
    };
    for (const asked& each : table)
    {
        INFO(json::serialize(json::value_from(each.what.headers)));
        std::size_t at = 1;
        for (bool reached = true; reached; ++at)
        {
            desk d;
            http::server_request message;
            each.what.write(message);
            std::string text;
            text.reserve(16 * 1024);  // the server's own
            bool answered = false;
            failing = allocations + at;
            try
            {
                http::response_writer writer(text, true, false);
                answered = !d.front.answer_to(message, writer);
                reached = allocations >= failing;
            }
            catch (const std::bad_alloc&)
            {
                // The server makes it a 500.
            }
            failing = 0;
            if (answered)
            {
                const auto made = read_answer(text);
                INFO(everything(made));
                const bool expected = made.result_int() == each.status || made.result_int() == 503;
                CHECK(expected);
            }
            // And all is well again.
            CHECK(d.ask(each.what).result_int() == each.status);
            CHECK_FALSE(d.numbers.expose().empty());
        }
        // The first answer of a thread takes some.
        CHECK(at > 5);
    }
}

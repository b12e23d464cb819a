#include "verifier_world.hpp"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PORTITOR_SANITIZED 1
#include <sanitizer/allocator_interface.h>
#else
#define PORTITOR_SANITIZED 0
#endif

using namespace portitor;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

thread_local std::size_t allocations = 0;

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
    ++allocations;
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
        if (!d.front.answer_at_once(message, writer))
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
    CHECK(d.front.answer_at_once(message, writer));
    CHECK(allocations == before);
}

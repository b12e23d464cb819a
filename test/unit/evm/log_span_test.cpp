#include "catch.hpp"

#include <portitor/evm/log_span.hpp>

using namespace portitor;

namespace {

/// How many of so many questions a node with a limit refuses.
int refusals(evm::log_span& span, std::uint64_t limit, int questions)
{
    int out = 0;
    for (; questions > 0; --questions)
    {
        // As a search does that has this many blocks to read.
        const std::uint64_t asked = std::min<std::uint64_t>(span.most(), 1'300'000);
        if (asked > limit)
            span.refused(asked);
        else
            span.took(asked);
        out += asked > limit ? 1 : 0;
    }
    return out;
}

}  // namespace

TEST_CASE("how many blocks a node answers for is found by its refusals", "[evm][log_span]")
{
    const auto limit = GENERATE(1U, 10U, 500U, 800U, 1024U, 2000U, 10'000U, 50'000U, 3'000'000U);
    evm::log_span span;
    CHECK(refusals(span, limit, 20) < 20);
    if (limit > 1'300'000)
        CHECK(span.most() > limit);
    else
    {
        CHECK(span.most() <= limit);
        CHECK(span.most() * 5 >= limit * 2);
    }
    // It is tried again now and then whether more are allowed.
    CHECK(refusals(span, limit, 340) <= 20);
    // One that is refused for another reason does not count for long.
    span.refused(7);
    CHECK(span.most() == std::min(limit, 5U));
    refusals(span, limit, 60);
    CHECK(span.most() * 5 >= std::min(limit, 1'300'000U) * 2);
}

TEST_CASE("a single block can always be asked for", "[evm][log_span]")
{
    evm::log_span span;
    span.refused(1);
    CHECK(span.most() == 1);
    // What is not full tells nothing of how many are allowed.
    span.refused(11);
    for (int each = 0; each < 100; ++each)
        span.took(0);
    CHECK(span.most() == 1);
}

#include "catch.hpp"
#include "ledger/sip_hash.hpp"
#include "ledger/spent_set.hpp"

#include <portitor/evm/hex.hpp>

#include <cstring>
#include <string>

using portitor::ledger::sip_hash;
using portitor::ledger::spent_fate;
using portitor::ledger::spent_set;

namespace {

std::string key(std::size_t number)
{
    return "eip155:84532|0xasset|0xpayer|" + std::to_string(number);
}

constexpr std::uint64_t now = 1'795'511'510;

}  // namespace

TEST_CASE("what is spent is remembered until its time is over, with what became of it", "[ledger][spent]")
{
    spent_set set(1'000'000);
    for (std::size_t i = 0; i < 100'000; ++i)
        set.insert(key(i), now + i % 600, now, {i % 3 == 0, i});
    // Counted: so many assertions would take longer than what they look at.
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 100'000; ++i)
        wrong += set.find(key(i)) == spent_fate{i % 3 == 0, i} ? 0 : 1;
    CHECK(wrong == 0);
    for (std::size_t i = 100'000; i < 110'000; ++i)
        wrong += set.find(key(i)) ? 1 : 0;
    CHECK(wrong == 0);

    CHECK(!set.expire(now - 1));
    const auto latest = set.expire(now + 300);
    REQUIRE(latest);
    CHECK(*latest < now + 300);
    CHECK(*latest >= now + 300 - 64);
    for (std::size_t i = 0; i < 100'000; ++i)
    {
        if (now + i % 600 >= now + 300)
            wrong += set.find(key(i)) ? 0 : 1;
    }
    CHECK(wrong == 0);
    CHECK(set.expire(now + 700));
    CHECK(set.size() == 0);
    CHECK(set.bytes() == 0);
}

TEST_CASE("a spent payment takes at most 40 bytes, whenever payers let theirs end", "[ledger][spent]")
{
    spent_set set(4'000'000);
    const std::uint64_t spread = GENERATE(300, 3'600, 100 * 86'400);
    constexpr std::size_t count = 200'000;
    for (std::size_t i = 0; i < count; ++i)
    {
        set.insert(key(i), now + (i * 7'919) % spread, now, {true, 1});
        if (i % 50'000 == 49'999)
            CHECK(static_cast<double>(set.bytes()) / static_cast<double>(i + 1) < 40);
    }
}

TEST_CASE("beyond its bound, what ends first goes early, and the set says until when", "[ledger][spent]")
{
    spent_set set(10'000);
    std::uint64_t mark = 0;
    for (std::size_t i = 0; i < 30'000; ++i)
        mark = std::max(mark, set.insert(key(i), now + i, now, {true, 1}).value_or(0));
    CHECK(set.size() <= 10'000);
    CHECK(mark > now);
    std::size_t lost = 0;
    for (std::size_t i = 0; i < 30'000; ++i)
        lost += now + i > mark && !set.find(key(i)) ? 1 : 0;
    CHECK(lost == 0);
    // A payment that never ends takes no other's place.
    set.insert(key(30'000), std::uint64_t{1} << 62U, now, {true, 1});
    CHECK(set.find(key(30'000)));
}

TEST_CASE("the keyed hash is SipHash-2-4-128", "[ledger][spent]")
{
    // From the vectors of its authors: key 00…0f, texts 00…, of no byte, of 1, 7, 8 and 63.
    const std::array<std::uint64_t, 2> key{0x0706'0504'0302'0100, 0x0f0e'0d0c'0b0a'0908};
    std::string text;
    for (char each = 0; each < 63; ++each)
        text += each;
    const auto hex = [&](std::size_t size) {
        const auto hash = sip_hash(key, std::string_view(text).substr(0, size));
        std::array<std::uint8_t, 16> bytes{};
        std::memcpy(bytes.data(), hash.data(), bytes.size());
        return portitor::evm::to_hex(bytes);
    };
    CHECK(hex(0) == "0xa3817f04ba25a8e66df67214c7550293");
    CHECK(hex(1) == "0xda87c1d86b99af44347659119b22fc45");
    CHECK(hex(7) == "0xa1f1ebbed8dbc153c0b84aa61ff08239");
    CHECK(hex(8) == "0x3b62a9ba6258f5610f83e264f31497b4");
    CHECK(hex(63) == "0x5150d1772f50834a503e069a973fbd7c");
}

#include "ledger/sip_hash.hpp"

#include <bit>
#include <cstddef>
#include <cstring>

namespace portitor::ledger {

namespace {

struct state
{
    std::uint64_t a, b, c, d;

    void round() noexcept
    {
        a += b;
        c += d;
        b = std::rotl(b, 13) ^ a;
        d = std::rotl(d, 16) ^ c;
        a = std::rotl(a, 32) + d;
        c += b;
        d = std::rotl(d, 21) ^ a;
        b = std::rotl(b, 17) ^ c;
        c = std::rotl(c, 32);
    }

    void take(std::uint64_t word) noexcept
    {
        d ^= word;
        round();
        round();
        a ^= word;
    }

    std::uint64_t finish() noexcept
    {
        for (int i = 0; i < 4; ++i)
            round();
        return a ^ b ^ c ^ d;
    }
};

// Little-endian, as are all machines that we are built for.
static_assert(std::endian::native == std::endian::little);

// Of at most eight bytes.
std::uint64_t word_of(std::string_view bytes) noexcept
{
    std::uint64_t out = 0;
    if (!bytes.empty())
        std::memcpy(&out, bytes.data(), bytes.size());
    return out;
}

}  // namespace

std::array<std::uint64_t, 2> sip_hash(const std::array<std::uint64_t, 2>& key, std::string_view text) noexcept
{
    state of{
        key[0] ^ 0x736f'6d65'7073'6575,
        key[1] ^ 0x646f'7261'6e64'6f6d ^ 0xee,
        key[0] ^ 0x6c79'6765'6e65'7261,
        key[1] ^ 0x7465'6462'7974'6573};
    const std::uint64_t size = text.size();
    for (; text.size() >= 8; text.remove_prefix(8))
        of.take(word_of(text.substr(0, 8)));
    of.take(word_of(text) | size << 56U);
    of.c ^= 0xee;
    const std::uint64_t first = of.finish();
    of.b ^= 0xdd;
    return {first, of.finish()};
}

}  // namespace portitor::ledger

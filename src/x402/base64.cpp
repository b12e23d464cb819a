#include <portitor/x402/base64.hpp>

#include <array>
#include <cstdint>
#include <cstring>

namespace portitor::x402 {

namespace {

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::int8_t, 256> make_values()
{
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
    return values;
}

constexpr auto values_of = make_values();

// Both characters for each twelve bits: half the look-ups.
constexpr std::array<char, 2 * 4096> make_pairs()
{
    std::array<char, 2 * 4096> pairs{};
    for (std::size_t i = 0; i < 4096; ++i)
    {
        pairs[2 * i] = alphabet[i >> 6];
        pairs[2 * i + 1] = alphabet[i & 63];
    }
    return pairs;
}

constexpr auto pairs_of = make_pairs();

}  // namespace

void append_base64(std::string& out, std::string_view bytes)
{
    const std::size_t begin = out.size();
    out.resize(begin + (bytes.size() + 2) / 3 * 4);
    char* to = out.data() + begin;
    const auto byte = [&](std::size_t i) { return std::uint32_t{static_cast<unsigned char>(bytes[i])}; };
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3, to += 4)
    {
        const std::uint32_t bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
        std::memcpy(to, &pairs_of[2 * (bits >> 12)], 2);
        std::memcpy(to + 2, &pairs_of[2 * (bits & 0xfff)], 2);
    }
    const std::size_t left = bytes.size() - i;
    if (left == 0)
        return;
    const std::uint32_t bits = byte(i) << 16 | (left == 2 ? byte(i + 1) << 8 : 0U);
    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[bits >> 12 & 63];
    to[2] = left == 2 ? alphabet[bits >> 6 & 63] : '=';
    to[3] = '=';
}

std::string encode_base64(std::string_view bytes)
{
    std::string text;
    append_base64(text, bytes);
    return text;
}

result<std::string> decode_base64(std::string_view text)
{
    if (text.ends_with('='))
    {
        if (text.size() % 4 != 0)
            return fail(errc::invalid, "not standard base64: wrong padding");
        text.remove_suffix(text.ends_with("==") ? 2 : 1);
    }
    if (text.size() % 4 == 1)
        return fail(errc::invalid, "not standard base64: it ends within a byte");

    const auto value = [&](std::size_t i) {
        return static_cast<std::uint32_t>(values_of[static_cast<unsigned char>(text[i])]);
    };
    std::string bytes(text.size() * 3 / 4, '\0');
    char* to = bytes.data();
    // A character outside the alphabet is all ones, which the shifts leave in the highest bit.
    std::uint32_t seen = 0;
    std::size_t i = 0;
    for (; i + 4 <= text.size(); i += 4, to += 3)
    {
        const std::uint32_t bits = value(i) << 18 | value(i + 1) << 12 | value(i + 2) << 6 | value(i + 3);
        seen |= bits;
        to[0] = static_cast<char>(bits >> 16 & 0xff);
        to[1] = static_cast<char>(bits >> 8 & 0xff);
        to[2] = static_cast<char>(bits & 0xff);
    }
    std::uint32_t unused = 0;
    if (const std::size_t left = text.size() - i; left != 0)
    {
        const std::uint32_t bits = value(i) << 18 | value(i + 1) << 12 | (left == 3 ? value(i + 2) << 6 : 0U);
        seen |= bits;
        to[0] = static_cast<char>(bits >> 16 & 0xff);
        if (left == 3)
            to[1] = static_cast<char>(bits >> 8 & 0xff);
        unused = bits & (left == 3 ? 0xffU : 0xffffU);
    }
    if (seen >> 31 != 0)
        return fail(errc::invalid, "not standard base64: a character outside its alphabet");
    if (unused != 0)
        return fail(errc::invalid, "not standard base64: unused bits are set");
    return bytes;
}

}  // namespace portitor::x402

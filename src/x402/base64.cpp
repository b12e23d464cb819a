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

    std::string bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    unsigned held = 0;
    for (const char c : text)
    {
        const std::int8_t value = values_of[static_cast<unsigned char>(c)];
        if (value < 0)
            return fail(errc::invalid, "not standard base64: a character outside its alphabet");
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        held += 6;
        if (held >= 8)
        {
            held -= 8;
            bytes += static_cast<char>(bits >> held & 0xff);
        }
        bits &= (1U << held) - 1;
    }
    if (bits != 0)
        return fail(errc::invalid, "not standard base64: unused bits are set");
    return bytes;
}

}  // namespace portitor::x402

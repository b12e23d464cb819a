#include <portitor/x402/base64.hpp>

#include <array>
#include <cstdint>

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

}  // namespace

std::string encode_base64(std::string_view bytes)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3)
    {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t bits = 0;
        for (std::size_t j = 0; j < 3; ++j)
            bits = bits << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            text += j <= count ? alphabet[bits >> (18 - 6 * j) & 63] : '=';
    }
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

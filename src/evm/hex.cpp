#include <portitor/evm/hex.hpp>

#include <array>

namespace portitor::evm {

namespace {

constexpr std::uint8_t no_digit = 0xff;

// 0…15, or no_digit for a character that is no hexadecimal digit.
constexpr std::array<std::uint8_t, 256> make_digits()
{
    std::array<std::uint8_t, 256> digits{};
    digits.fill(no_digit);
    for (std::uint8_t i = 0; i < 10; ++i)
        digits[static_cast<std::uint8_t>('0' + i)] = i;
    for (std::uint8_t i = 0; i < 6; ++i)
    {
        digits[static_cast<std::uint8_t>('a' + i)] = static_cast<std::uint8_t>(10 + i);
        digits[static_cast<std::uint8_t>('A' + i)] = static_cast<std::uint8_t>(10 + i);
    }
    return digits;
}

constexpr auto digits_of = make_digits();

constexpr std::uint8_t digit(char c) noexcept
{
    return digits_of[static_cast<unsigned char>(c)];
}

bool has_prefix(std::string_view text) noexcept
{
    return text.size() >= 2 && text[0] == '0' && text[1] == 'x';
}

}  // namespace

bool is_hex(std::string_view text) noexcept
{
    if (!has_prefix(text) || text.size() % 2 != 0)
        return false;
    for (const char c : text.substr(2))
        if (digit(c) == no_digit)
            return false;
    return true;
}

result<std::vector<std::uint8_t>> parse_hex(std::string_view text)
{
    if (!is_hex(text))
        return fail(errc::invalid, "not \"0x\" followed by an even number of hexadecimal digits");
    std::vector<std::uint8_t> bytes((text.size() - 2) / 2);
    if (auto parsed = parse_hex(text, bytes); !parsed)
        return parsed.error();
    return bytes;
}

result<void> parse_hex(std::string_view text, std::span<std::uint8_t> out)
{
    if (!has_prefix(text) || text.size() != 2 + 2 * out.size())
        return fail(errc::invalid, "not \"0x\" followed by {} hexadecimal digits", 2 * out.size());
    std::uint8_t seen = 0;
    for (std::size_t i = 0; i < out.size(); ++i)
    {
        const std::uint8_t high = digit(text[2 + 2 * i]);
        const std::uint8_t low = digit(text[3 + 2 * i]);
        seen |= high | low;
        out[i] = static_cast<std::uint8_t>(high << 4 | (low & 0xf));
    }
    // Digits never set the upper bits, what is none sets them all.
    if (seen > 0xf)
        return fail(errc::invalid, "not \"0x\" followed by {} hexadecimal digits", 2 * out.size());
    return {};
}

std::string to_hex(std::span<const std::uint8_t> bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text = "0x";
    text.reserve(2 + 2 * bytes.size());
    for (const std::uint8_t byte : bytes)
    {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text;
}

}  // namespace portitor::evm

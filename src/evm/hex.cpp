#include <portitor/evm/hex.hpp>

namespace portitor::evm {

namespace {

// 0…15, or -1 for a character that is no hexadecimal digit.
int digit(char c) noexcept
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
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
        if (digit(c) < 0)
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
    for (std::size_t i = 0; i < out.size(); ++i)
    {
        const int high = digit(text[2 + 2 * i]);
        const int low = digit(text[3 + 2 * i]);
        if (high < 0 || low < 0)
            return fail(errc::invalid, "not \"0x\" followed by {} hexadecimal digits", 2 * out.size());
        out[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
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

#include "x402/json_text.hpp"

#include <array>
#include <charconv>
#include <cstring>

namespace portitor::x402 {

namespace {

bool needs_escape(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

constexpr std::uint64_t ones = 0x0101010101010101;
constexpr std::uint64_t high_bits = 0x8080808080808080;

// The lowest set bit is right; above it there may be false ones (Bit Twiddling Hacks, "haszero").
constexpr std::uint64_t zero_bytes(std::uint64_t eight)
{
    return (eight - ones) & ~eight & high_bits;
}

// Where the first character that needs an escape stands, or the size: eight at a time, because nearly no text
// has one.
std::size_t find_escape(std::string_view text)
{
    std::size_t at = 0;
    for (; at + 8 <= text.size(); at += 8)
    {
        std::uint64_t eight = 0;
        std::memcpy(&eight, text.data() + at, 8);
        const std::uint64_t below_space = (eight - ones * 0x20) & ~eight & high_bits;
        if ((below_space | zero_bytes(eight ^ ones * '"') | zero_bytes(eight ^ ones * '\\')) != 0)
            break;
    }
    while (at < text.size() && !needs_escape(text[at]))
        ++at;
    return at;
}

void append_escaped(std::string& out, char c)
{
    constexpr std::string_view digits = "0123456789abcdef";
    if (c == '"' || c == '\\')
    {
        out += '\\';
        out += c;
        return;
    }
    out += "\\u00";
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
}

}  // namespace

void append_string(std::string& out, std::string_view text)
{
    out += '"';
    while (!text.empty())
    {
        const std::size_t at = find_escape(text);
        out.append(text.substr(0, at));
        text.remove_prefix(at);
        if (!text.empty())
        {
            append_escaped(out, text.front());
            text.remove_prefix(1);
        }
    }
    out += '"';
}

void append_number(std::string& out, std::uint64_t number)
{
    std::array<char, 20> digits{};
    out.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr);
}

}  // namespace portitor::x402

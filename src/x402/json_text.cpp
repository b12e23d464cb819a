#include "x402/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace portitor::x402 {

namespace {

bool needs_escape(char c)
{
    return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
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
        const auto at = std::find_if(text.begin(), text.end(), needs_escape);
        out.append(text.begin(), at);
        text.remove_prefix(static_cast<std::size_t>(at - text.begin()));
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

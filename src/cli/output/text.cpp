#include "cli/output/text.hpp"

#include <boost/locale/utf.hpp>
#include <fmt/format.h>

#include <array>

namespace portitor::cli {

namespace {

namespace utf = boost::locale::utf;

bool is_control(utf::code_point code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) ||
           // Marks that turn the direction of a line, and others that nobody sees.
           (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

void append_escaped(std::string& out, std::string_view bytes)
{
    for (const char c : bytes)
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest)
{
    std::string out;
    std::size_t count = 0;
    for (const char* at = text.data(); at != text.data() + text.size(); ++count)
    {
        if (count == longest)
            return out + "…";
        const char* const begin = at;
        const utf::code_point code = utf::utf_traits<char>::decode(at, text.data() + text.size());
        const std::string_view bytes(begin, static_cast<std::size_t>(at - begin));
        if (code == '\n' || code == '\t')
            out += ' ';
        else if (code == utf::illegal || code == utf::incomplete || is_control(code))
            append_escaped(out, bytes);
        else
            out += bytes;
    }
    return out;
}

std::string printable_json(std::string_view json)
{
    std::string out;
    out.reserve(json.size());
    for (const char* at = json.data(); at != json.data() + json.size();)
    {
        const char* const begin = at;
        const utf::code_point code = utf::utf_traits<char>::decode(at, json.data() + json.size());
        if (code == utf::illegal || code == utf::incomplete)
        {
            out += "\\ufffd";
            at = begin + 1;  // the next one may be the quote that ends the text
        }
        else if (is_control(code) && code != '\n')
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(code));
        else
            out.append(begin, at);
    }
    return out;
}

std::string age_in_words(std::chrono::seconds age)
{
    const auto seconds = std::max<std::int64_t>(age.count(), 0);
    if (seconds < 120)
        return fmt::format("{}s", seconds);
    if (seconds < 2 * 3600)
        return fmt::format("{}m", seconds / 60);
    if (seconds < 2 * 86400)
        return fmt::format("{}h", seconds / 3600);
    return fmt::format("{}d", seconds / 86400);
}

std::string wrap(std::string_view text, std::size_t width, std::size_t indent)
{
    std::string out;
    std::size_t column = 0;
    while (!text.empty())
    {
        const std::size_t end = std::min(text.find(' '), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (column > 0 && column + 1 + word.size() > width)
        {
            out += '\n' + std::string(indent, ' ');
            column = 0;
        }
        else if (column > 0)
        {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out;
}

std::string palette::paint(tone how, std::string_view text) const
{
    // By tone: SGR parameters of ECMA-48.
    static constexpr std::array codes{"", "32", "33", "31", "2", "1"};
    const char* code = codes.at(static_cast<std::size_t>(how));
    return coloured_ && *code != 0 && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", code, text)
                                                    : std::string(text);
}

}  // namespace portitor::cli

#include "cli/output/text.hpp"

#include <portitor/core/characters.hpp>

#include <fmt/format.h>

#include <array>

namespace portitor::cli {

namespace {

// As JSON escapes it: in halves of UTF-16.
std::string json_escape(std::uint32_t point)
{
    if (point < 0x10000)
        return fmt::format("\\u{:04x}", point);
    point -= 0x10000;
    return fmt::format("\\u{:04x}\\u{:04x}", 0xd800 + (point >> 10U), 0xdc00 + (point & 0x3ffU));
}

}  // namespace

std::string printable(std::string_view text, std::size_t longest)
{
    std::string out;
    for (std::size_t count = 0; !text.empty(); ++count)
    {
        if (count == longest)
            return out + "…";
        const character next = first_character(text);
        if (next.point == '\n' || next.point == '\t')
            out += ' ';
        else if (!next.is_good || is_hidden(next.point))
            out += escaped(next);
        else
            out += next.bytes;
        text.remove_prefix(next.bytes.size());
    }
    return out;
}

std::string printable_json(std::string_view json)
{
    std::string out;
    out.reserve(json.size());
    while (!json.empty())
    {
        const character next = first_character(json);
        if (!next.is_good)
            out += "\\ufffd";
        else if (is_hidden(next.point) && next.point != '\n')
            out += json_escape(next.point);
        else
            out += next.bytes;
        json.remove_prefix(next.bytes.size());
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

#include <portitor/core/characters.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace portitor {

namespace {

struct range
{
    std::uint32_t first;
    std::uint32_t last;
};

// In ascending order. What is reserved among those that are ignored by default counts with its neighbours.
constexpr std::array hidden{
    range{0x0, 0x1f},          // C0
    range{0x7f, 0x9f},         // DEL and C1
    range{0xad, 0xad},         // soft hyphen
    range{0x34f, 0x34f},       // combining grapheme joiner
    range{0x600, 0x605},       // Arabic number signs
    range{0x61c, 0x61c},       // Arabic letter mark
    range{0x6dd, 0x6dd},       // Arabic end of Ayah
    range{0x70f, 0x70f},       // Syriac abbreviation mark
    range{0x890, 0x891},       // Arabic pound and piastre marks
    range{0x8e2, 0x8e2},       // Arabic disputed end of Ayah
    range{0x115f, 0x1160},     // Hangul fillers
    range{0x17b4, 0x17b5},     // Khmer inherent vowels
    range{0x180b, 0x180f},     // Mongolian selectors and vowel separator
    range{0x200b, 0x200f},     // zero widths, marks of direction
    range{0x2028, 0x202e},     // separators, embeddings and overrides
    range{0x2060, 0x206f},     // word joiner, invisible operators, isolates
    range{0x3164, 0x3164},     // Hangul filler
    range{0xd800, 0xf8ff},     // surrogates, private use
    range{0xfdd0, 0xfdef},     // noncharacters
    range{0xfe00, 0xfe0f},     // variation selectors
    range{0xfeff, 0xfeff},     // byte order mark
    range{0xffa0, 0xffa0},     // Hangul filler
    range{0xfff0, 0xfffb},     // interlinear annotations
    range{0x110bd, 0x110bd},   // Kaithi number sign
    range{0x110cd, 0x110cd},   // Kaithi number sign above
    range{0x13430, 0x1343f},   // Egyptian format controls
    range{0x1bca0, 0x1bca3},   // shorthand format controls
    range{0x1d173, 0x1d17a},   // musical format controls
    range{0xe0000, 0xe0fff},   // tags, variation selectors
    range{0xf0000, 0x10ffff},  // private use
};

}  // namespace

character first_character(std::string_view text)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::uint32_t lead = at(0);
    const character bad{lead, text.substr(0, 1), lead < 0x80};
    if (lead < 0xc2 || lead > 0xf4)
        return bad;
    const std::size_t count = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (text.size() < count)
        return bad;
    std::uint32_t point = lead & (0xffU >> (count + 1));
    for (std::size_t i = 1; i < count; ++i)
    {
        if ((at(i) & 0xc0U) != 0x80)
            return bad;
        point = (point << 6U) | (at(i) & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
    if (point < least.at(count) || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
        return bad;
    return {point, text.substr(0, count), true};
}

std::size_t count_characters(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
    }));
}

bool is_hidden(std::uint32_t point)
{
    // The last two of each plane are noncharacters.
    if ((point & 0xfffeU) == 0xfffe)
        return true;
    const auto after =
        std::upper_bound(hidden.begin(), hidden.end(), point, [](std::uint32_t value, const range& each) {
            return value < each.first;
        });
    return after != hidden.begin() && point <= std::prev(after)->last;
}

std::string escaped(const character& what)
{
    if (!what.is_good || what.point < 0x80)
        return fmt::format("\\x{:02x}", what.point);
    return what.point > 0xffff ? fmt::format("\\U{:08x}", what.point) : fmt::format("\\u{:04x}", what.point);
}

}  // namespace portitor

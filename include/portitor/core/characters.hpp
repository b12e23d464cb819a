#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace portitor {

/// What a text begins with: a code point of UTF-8 (RFC 3629: none in too many bytes, no surrogate), or one
/// byte that begins none.
struct character
{
    std::uint32_t point = 0;  ///< the code point, or the byte
    std::string_view bytes;   ///< of the text
    bool is_good = false;
};

/// @pre the text is not empty
character first_character(std::string_view text);

/// How many characters a text has, for widths and limits: all bytes that do not go on with a character of
/// UTF-8.
std::size_t count_characters(std::string_view text);

/// Whether a code point must not stand on a terminal as it is, because it moves the cursor, turns the text
/// around it, or is not seen: controls, line and paragraph separators, format characters (Cf), private use,
/// noncharacters, and all of Default_Ignorable_Code_Point, such as variation selectors. Unicode 15.1.
bool is_hidden(std::uint32_t point);

/// A character as an escape that shows what it is: "\x1b", "\u202e", "\U000e0041".
std::string escaped(const character& what);

}  // namespace portitor

#include "catch.hpp"

#include <portitor/core/characters.hpp>

using namespace portitor;

TEST_CASE("a text begins with a code point, or a byte that begins none", "[core][characters]")
{
    const auto first = [](std::string_view text) { return first_character(text); };
    CHECK(first("ab").point == 'a');
    CHECK(first("äb").point == 0xe4);
    CHECK(first("äb").bytes == "ä");
    CHECK(first("\U0010ffff").point == 0x10ffff);
    // Half of one, too many bytes for one, a surrogate, behind the last one, the inside of one.
    for (const char* each :
         {"\xc3",
          "\xe2\x80",
          "\xc0\xaf",
          "\xe0\x80\xaf",
          "\xf0\x80\x80\xaf",
          "\xed\xa0\x80",
          "\xf4\x90\x80\x80",
          "\x80",
          "\xff"})
    {
        const character bad = first(each);
        CHECK_FALSE(bad.is_good);
        CHECK(bad.bytes.size() == 1);
        CHECK(bad.point == static_cast<unsigned char>(each[0]));
    }
}

TEST_CASE("what moves, turns or hides is hidden, and what is read is not", "[core][characters]")
{
    for (const std::uint32_t each :
         {0x0U,     0x1fU,    0x7fU,    0x9bU,    0xadU,    0x61cU,    0x180eU,   0x200bU,  0x200fU,
          0x2028U,  0x2029U,  0x202eU,  0x2060U,  0x2064U,  0x2069U,   0x206fU,   0x3164U,  0xd800U,
          0xe000U,  0xfdd0U,  0xfe0fU,  0xfeffU,  0xfff9U,  0xfffbU,   0xfffeU,   0xffffU,  0x1d173U,
          0x1fffeU, 0xe0001U, 0xe007fU, 0xe01efU, 0xf0000U, 0x10fffdU, 0x10ffffU, 0x13430U, 0x115fU})
    {
        INFO(each);
        CHECK(is_hidden(each));
    }
    for (const std::uint32_t each :
         {0x20U,
          0x7eU,
          0xa0U,
          0xacU,
          0xaeU,
          0xe4U,
          0x5d0U,
          0x627U,
          0x2014U,
          0x2026U,
          0x2070U,
          0x20acU,
          0x65e5U,
          0xac00U,
          0xfffdU,
          0x1f600U})
    {
        INFO(each);
        CHECK_FALSE(is_hidden(each));
    }
}

TEST_CASE("an escape shows which character it is", "[core][characters]")
{
    CHECK(escaped(first_character("\x1b")) == "\\x1b");
    CHECK(escaped(first_character("\xff")) == "\\xff");
    CHECK(escaped(first_character("\u202e")) == "\\u202e");
    CHECK(escaped(first_character("\U000E0041")) == "\\U000e0041");
}

#include "schema/shown.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace portitor::schema {

namespace json = boost::json;

namespace {

struct character
{
    std::uint32_t point = 0;
    std::size_t bytes = 1;
    bool good = false;
};

character first_of(std::string_view text)
{
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = at(0);
    if (lead < 0x80)
        return {lead, 1, true};
    const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < bytes)
        return {lead, 1, false};
    std::uint32_t point = lead & (0xffU >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i)
    {
        if ((at(i) & 0xc0U) != 0x80)
            return {lead, 1, false};
        point = (point << 6U) | (at(i) & 0x3fU);
    }
    return {point, bytes, true};
}

// Control characters, and those that turn the direction of the text around them or are not seen at all.
bool is_hidden(std::uint32_t point)
{
    const auto within = [point](std::uint32_t low, std::uint32_t high) {
        return point >= low && point <= high;
    };
    return point < 0x20 || within(0x7f, 0x9f) || within(0x200b, 0x200f) || within(0x2028, 0x202e) ||
           within(0x2060, 0x206f) || point == 0xfeff || point == 0xad;
}

}  // namespace

std::string plain(std::string_view text, std::size_t longest)
{
    std::string out;
    for (std::size_t count = 0; !text.empty(); ++count)
    {
        if (count == longest)
            return out + "...";
        const character next = first_of(text);
        if (!next.good)
            out += fmt::format("\\x{:02x}", next.point);
        else if (is_hidden(next.point))
            out += fmt::format("\\u{:04x}", next.point);
        else
            out += text.substr(0, next.bytes);
        text.remove_prefix(next.bytes);
    }
    return out;
}

std::string shown(const json::value& value)
{
    if (const json::string* text = value.if_string())
        return '"' + plain({text->data(), text->size()}) + '"';
    if (const json::array* list = value.if_array())
        return fmt::format("a list of {} item{}", list->size(), list->size() == 1 ? "" : "s");
    if (value.is_object())
        return "an object";
    if (const double* number = value.if_double())
        return fmt::format("{}", *number);
    return json::serialize(value);
}

std::size_t code_points(std::string_view text)
{
    std::size_t count = 0;
    for (; !text.empty(); ++count)
        text.remove_prefix(first_of(text).bytes);
    return count;
}

}  // namespace portitor::schema

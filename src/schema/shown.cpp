#include "schema/shown.hpp"

#include <portitor/core/characters.hpp>

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace portitor::schema {

namespace json = boost::json;

std::string plain(std::string_view text, std::size_t longest)
{
    std::string out;
    for (std::size_t count = 0; !text.empty(); ++count)
    {
        if (count == longest)
            return out + "...";
        const character next = first_character(text);
        if (!next.is_good || is_hidden(next.point))
            out += escaped(next);
        else
            out += next.bytes;
        text.remove_prefix(next.bytes.size());
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
        text.remove_prefix(first_character(text).bytes.size());
    return count;
}

}  // namespace portitor::schema

#include "cli/output/masked.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace portitor::cli {

namespace json = boost::json;

json::value masked(json::value value)
{
    if (json::object* object = value.if_object())
    {
        for (auto& [key, member] : *object)
            member = masked(std::move(member));
    }
    else if (json::array* list = value.if_array())
    {
        for (json::value& each : *list)
            each = masked(std::move(each));
    }
    else if (const json::string* text = value.if_string())
        return json::value(masked_urls(*text));
    return value;
}

}  // namespace portitor::cli

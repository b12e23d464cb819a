#include "cli/sell/spec_fields.hpp"

#include "cli/output/text.hpp"

#include <charconv>

namespace portitor::cli::sell {

namespace json = boost::json;

json::object& child(json::object& of, std::string_view name)
{
    json::value& out = of[name];
    if (!out.is_object())
        out = json::object();
    return out.get_object();
}

void put(json::object& into, std::string_view name, const std::string& given)
{
    if (!given.empty())
        into[name] = given;
}

result<std::int64_t> read_number(const std::string& given, std::int64_t most, const char* flag)
{
    std::int64_t out = 0;
    const auto [end, failed] = std::from_chars(given.data(), given.data() + given.size(), out);
    if (failed != std::errc() || end != given.data() + given.size() || out < 1 || out > most)
        return fail(errc::invalid, "{}: \"{}\" is no number from 1 to {}", flag, printable(given, 100), most);
    return out;
}

}  // namespace portitor::cli::sell

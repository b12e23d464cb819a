#include "cli/sell/spec_changes.hpp"

#include "cli/output/text.hpp"

#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <set>

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

std::string shown(const json::value* of)
{
    return of ? printable(json::serialize(*of), 200) : "(none)";
}

}  // namespace

std::vector<std::string>
spec_changes(const json::value& before, const json::value& after, const std::string& field)
{
    if (before == after)
        return {};
    if (!before.is_object() || !after.is_object())
        return {fmt::format("{}: {} -> {}", field, shown(&before), shown(&after))};
    std::set<std::string> names;
    for (const auto& [name, value] : before.get_object())
        names.emplace(name);
    for (const auto& [name, value] : after.get_object())
        names.emplace(name);
    std::vector<std::string> out;
    for (const std::string& name : names)
    {
        const json::value* old = before.get_object().if_contains(name);
        const json::value* now = after.get_object().if_contains(name);
        const std::string path = field + "." + printable(name, 100);
        if (!old || !now)
        {
            out.push_back(fmt::format("{}: {} -> {}", path, shown(old), shown(now)));
            continue;
        }
        for (std::string& each : spec_changes(*old, *now, path))
            out.push_back(std::move(each));
    }
    return out;
}

}  // namespace portitor::cli::sell

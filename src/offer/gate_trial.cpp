#include "offer/gate_trial.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace portitor::offer {

namespace json = boost::json;

std::string filled_path(std::string_view path, std::string_view word)
{
    std::string out;
    for (const char c : path)
    {
        if (c == '*')
            out += word;
        else
            out += c;
    }
    return out;
}

std::string unguessable_word()
{
    std::random_device random;
    std::string out;
    for (int i = 0; i < 4; ++i)
        out += fmt::format("{:08x}", static_cast<std::uint32_t>(random()));
    return out;
}

// Where only one certain path is paid, it is the query that nobody can guess.
json::object trial_match(std::string_view path)
{
    const auto mark = path.find('?');
    json::object out{{"path", {{"type", "Exact"}, {"value", path.substr(0, mark)}}}};
    if (mark == path.npos)
        return out;
    const std::string_view query = path.substr(mark + 1);
    const auto equals = query.find('=');
    const json::object parameter{
        {"type", "Exact"}, {"name", query.substr(0, equals)}, {"value", query.substr(equals + 1)}};
    out["queryParams"] = json::array{parameter};
    return out;
}

bool is_trial_route(const kube::object& route)
{
    const json::array& rules = kube::array_at(route.spec(), "rules");
    return !rules.empty() && std::all_of(rules.begin(), rules.end(), [](const json::value& rule) {
        const json::array& matches = kube::array_at(kube::as_object(rule), "matches");
        return !matches.empty() && std::all_of(matches.begin(), matches.end(), [](const json::value& each) {
            return kube::string_at(kube::as_object(each), "path.type") == "Exact";
        });
    });
}

}  // namespace portitor::offer

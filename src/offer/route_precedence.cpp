#include "offer/route_precedence.hpp"

#include "offer/place.hpp"
#include "offer/way_around.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

// Traefik adds the number of the rule, of which there are 64 at most.
constexpr std::size_t as_good_as_equal = 64;

struct path_match
{
    explicit path_match(const json::object& match)
        : type(kube::string_or(match, "path.type", "PathPrefix")),
          value(kube::string_or(match, "path.value", "/"))
    {
        if (type != "RegularExpression" && value.size() > 1 && value.ends_with('/'))
            value.pop_back();
    }

    bool takes(std::string_view path) const
    {
        if (type == "Exact")
            return path == value;
        return type != "PathPrefix" || is_at_or_below(path, value);
    }

    std::string type;
    std::string value;
};

std::size_t longest_host(const kube::object& route)
{
    std::size_t out = 0;
    for (const json::value& each : kube::array_at(route.spec(), "hostnames"))
        out = std::max(out, each.is_string() ? each.get_string().size() : 0);
    return out;
}

std::size_t weight_of(const json::object& match)
{
    const path_match path(match);
    std::size_t out = path.type == "Exact" ? 100'000 : 10'000 + 100 * path.value.size();
    if (match.contains("method"))
        out += 1000;
    out += 100 * kube::array_at(match, "headers").size();
    return out + 10 * kube::array_at(match, "queryParams").size();
}

// Calls `visitor` with the number of the rule and its match, until that returns true.
template <typename Visitor>
void visit_matches(const kube::object& route, Visitor visitor)
{
    static const json::object all;
    const json::array& rules = kube::array_at(route.spec(), "rules");
    for (std::size_t i = 0; i < rules.size(); ++i)
    {
        const json::array& matches = kube::array_at(kube::as_object(rules[i]), "matches");
        if (matches.empty() && visitor(i, all))
            return;
        for (const json::value& each : matches)
        {
            if (visitor(i, kube::as_object(each)))
                return;
        }
    }
}

bool takes_host(const kube::object& route, std::string_view host)
{
    const json::array& hosts = kube::array_at(route.spec(), "hostnames");
    return hosts.empty() || std::any_of(hosts.begin(), hosts.end(), [&](const json::value& each) {
               return each.is_string() && hosts_overlap(std::string(each.get_string()), host);
           });
}

}  // namespace

std::vector<std::string> matched_paths(const kube::object& route)
{
    std::vector<std::string> out;
    visit_matches(route, [&](std::size_t, const json::object& match) {
        path_match path(match);
        const bool is_path = path.type == "Exact" || path.type == "PathPrefix";
        out.push_back(is_path ? std::move(path.value) : "~");
        return false;
    });
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

std::vector<std::string> paths_above(std::string_view path)
{
    std::vector<std::string> out{"~", "/"};
    for (std::size_t at = 1; at < path.size(); ++at)
    {
        at = std::min(path.find('/', at), path.size());
        out.emplace_back(path.substr(0, at));
    }
    return out;
}

std::string preferred_rule(
    const kube::object& other,
    const kube::object& own,
    std::string_view host,
    std::string_view path,
    const plan_settings& settings
)
{
    if (!is_attached(other, settings) || !takes_host(other, host))
        return {};
    if (path.size() > 1 && path.ends_with('/'))
        path.remove_suffix(1);
    std::size_t ours = 0;
    visit_matches(own, [&](std::size_t, const json::object& match) {
        ours = std::max(ours, weight_of(match));
        return false;
    });
    ours += longest_host(own);
    const std::size_t more = longest_host(other) + as_good_as_equal;
    std::string out;
    visit_matches(other, [&](std::size_t number, const json::object& match) {
        const path_match at(match);
        if (!at.takes(path) || weight_of(match) + more < ours)
            return false;
        out = fmt::format(
            "HTTPRoute {}, spec.rules[{}] ({} {})", other.meta.key().to_string(), number, at.type, at.value
        );
        return true;
    });
    return out;
}

}  // namespace portitor::offer

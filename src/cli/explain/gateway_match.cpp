#include "cli/explain/gateway_match.hpp"

#include "offer/place.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <optional>

namespace portitor::cli::explain {

namespace json = boost::json;

namespace {

constexpr std::string_view traefik = "traefik.io/gateway-controller";

/// A request as routes are matched against it.
struct matched_request
{
    std::string host;  ///< lower-case, without a port
    const request_target& of;
};

std::string without_port(std::string_view host)
{
    const std::size_t colon = host.rfind(':');
    const bool has_port = colon != host.npos && host.find(']', colon) == host.npos;
    return boost::algorithm::to_lower_copy(std::string(host.substr(0, has_port ? colon : host.npos)));
}

// The host name of the route that the request's host falls under; nothing where it falls under none.
std::optional<std::string> matching_host(const json::object& spec, const std::string& host)
{
    const json::array& hostnames = kube::array_at(spec, "hostnames");
    if (hostnames.empty())
        return std::string();
    std::optional<std::string> best;
    for (const json::value& each : hostnames)
    {
        const std::string name = each.is_string()
                                     ? boost::algorithm::to_lower_copy(std::string(each.get_string()))
                                     : std::string();
        if (!name.empty() && !host.empty() && offer::hosts_overlap(name, host) &&
            (!best || name.size() > best->size()))
            best = name;
    }
    return best;
}

bool is_at_or_below(std::string_view path, std::string_view prefix)
{
    while (prefix.ends_with('/'))
        prefix.remove_suffix(1);
    return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

/// What a match says of the path; nothing where it does not fit.
std::optional<std::string>
path_in_words(const json::object& match, const std::string& path, std::string& only_if)
{
    const std::string type = kube::string_or(match, "path.type", "PathPrefix");
    const std::string value = kube::string_or(match, "path.value", "/");
    if (type == "RegularExpression")
        only_if = fmt::format("the path fits the regular expression {}", value);
    else if (type == "Exact" ? path != value : !is_at_or_below(path, value))
        return std::nullopt;
    return fmt::format("{} {}", type, value);
}

std::string headers_in_words(const json::object& match)
{
    std::vector<std::string> out;
    for (const char* kind : {"headers", "queryParams"})
    {
        for (const json::value& each : kube::array_at(match, kind))
            out.push_back(fmt::format(
                "{} {}={}",
                std::string_view(kind) == "headers" ? "header" : "query",
                kube::string_at(kube::as_object(each), "name"),
                kube::string_at(kube::as_object(each), "value")
            ));
    }
    return fmt::format("{}", fmt::join(out, ", "));
}

// Traefik's own reckoning, pkg/provider/kubernetes/gateway: 100 000 for an exact path, 1 for the prefix "/",
// 10 000 and 100 a character for another path, 1 000 for a method, 100 a header, 10 a query.
long priority_of(const json::object& match, std::string_view host, std::size_t rule)
{
    const std::string type = kube::string_or(match, "path.type", "PathPrefix");
    const std::string path = kube::string_or(match, "path.value", "/");
    const auto count = [&](const char* list) {
        return static_cast<long>(kube::array_at(match, list).size());
    };
    const long by_path = type == "Exact" ? 100'000
                         : type == "PathPrefix" && path == "/"
                             ? 1
                             : 10'000 + 100 * static_cast<long>(path.size());
    return by_path + (kube::string_at(match, "method").empty() ? 0 : 1'000) + 100 * count("headers") +
           10 * count("queryParams") + static_cast<long>(host.size()) - static_cast<long>(rule);
}

std::vector<std::string> middlewares_of(const json::object& rule)
{
    std::vector<std::string> out;
    for (const json::value& each : kube::array_at(rule, "filters"))
    {
        const json::object& filter = kube::as_object(each);
        if (kube::string_at(filter, "extensionRef.kind") == api::middleware_resource.kind)
            out.push_back(kube::string_at(filter, "extensionRef.name"));
    }
    return out;
}

std::vector<std::string> backends_of(const json::object& rule, const kube::object& route)
{
    std::vector<std::string> out;
    for (const json::value& each : kube::array_at(rule, "backendRefs"))
    {
        const json::object& backend = kube::as_object(each);
        out.push_back(fmt::format(
            "{}/{}:{}",
            kube::string_or(backend, "namespace", route.meta.ns),
            kube::string_at(backend, "name"),
            kube::int_at(backend, "port")
        ));
    }
    return out;
}

bool names_gateway(
    const json::object& parent, const kube::object& route, const offer::plan_settings& settings
)
{
    return kube::string_at(parent, "name") == settings.gateway.gateway.name &&
           kube::string_or(parent, "namespace", route.meta.ns) == settings.gateway.gateway.ns;
}

// Whether the gateway serves a route, by what its controller wrote.
std::string why_not_served(const kube::object& route, const offer::plan_settings& settings)
{
    for (const json::value& each : kube::array_at(route.status(), "parents"))
    {
        const json::object& entry = kube::as_object(each);
        if (!names_gateway(kube::object_at(entry, "parentRef"), route, settings))
            continue;
        const auto conditions = kube::parse_conditions(entry);
        const auto* accepted = kube::find_condition(conditions, "Accepted");
        if (accepted && accepted->is_true())
            return {};
        return accepted ? fmt::format("the Gateway does not accept it: {}", accepted->reason)
                        : std::string("the Gateway has not accepted it yet");
    }
    return "the Gateway has not judged it yet";
}

bool is_attached(const kube::object& route, const offer::plan_settings& settings)
{
    const json::array& parents = kube::array_at(route.spec(), "parentRefs");
    return std::any_of(parents.begin(), parents.end(), [&](const json::value& each) {
        return names_gateway(kube::as_object(each), route, settings);
    });
}

bool is_ours(const kube::object& route)
{
    const kube::owner_reference* owner = api::owning_offer(route.meta);
    return owner && route.meta.name == api::http_route_name(owner->name);
}

void add_matches(
    const kube::object& route,
    std::size_t index,
    const std::string& host,
    const matched_request& request,
    std::vector<candidate>& to
)
{
    const json::object& rule = kube::as_object(kube::array_at(route.spec(), "rules").at(index));
    static const json::array everything{json::object{}};
    const json::array& written = kube::array_at(rule, "matches");
    for (const json::value& each : written.empty() ? everything : written)
    {
        const json::object& match = kube::as_object(each);
        const std::string method = kube::string_at(match, "method");
        candidate found;
        const auto path = path_in_words(match, request.of.path, found.only_if);
        if (!path || (!method.empty() && method != request.of.method))
            continue;
        const std::string more = headers_in_words(match);
        if (found.only_if.empty() && !more.empty())
            found.only_if = "the request has " + more;
        found.match = fmt::format(
            "{}{}{}", *path, method.empty() ? "" : ", " + method, host.empty() ? "" : ", host " + host
        );
        found.route = route.meta.key();
        found.rule = index;
        found.middlewares = middlewares_of(rule);
        found.backends = backends_of(rule, route);
        found.made_by_us = is_ours(route);
        found.priority = priority_of(match, host, index);
        found.since = kube::string_at(route.raw, "metadata.creationTimestamp");
        to.push_back(std::move(found));
    }
}

// The Gateway API's order, HTTPRouteRule.matches: host, kind and length of the path, method, headers,
// queries, age, name. The priority has all but the last two in that order where hosts are alike.
bool comes_first(const candidate& left, const candidate& right)
{
    return std::make_tuple(-left.priority, left.since, left.route, left.rule) <
           std::make_tuple(-right.priority, right.since, right.route, right.rule);
}

}  // namespace

std::vector<candidate> find_candidates(
    const std::vector<kube::object_ptr>& routes,
    const request_target& request,
    const offer::plan_settings& settings
)
{
    std::vector<candidate> out;
    const matched_request asked{without_port(request.host), request};
    // Elsewhere the host name goes before everything else.
    const long host_weight = settings.gateway.controller == traefik ? 0 : 1'000'000;
    for (const kube::object_ptr& route : routes)
    {
        if (!is_attached(*route, settings))
            continue;
        const auto host = matching_host(route->spec(), asked.host);
        if (!host)
            continue;
        const std::string not_served = why_not_served(*route, settings);
        const std::size_t first = out.size();
        for (std::size_t i = 0; i < kube::array_at(route->spec(), "rules").size(); ++i)
            add_matches(*route, i, *host, asked, out);
        for (std::size_t i = first; i < out.size(); ++i)
        {
            out[i].not_served = not_served;
            out[i].priority += host_weight * static_cast<long>(host->size());
        }
    }
    std::sort(out.begin(), out.end(), comes_first);
    return out;
}

}  // namespace portitor::cli::explain

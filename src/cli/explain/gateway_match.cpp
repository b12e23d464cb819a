#include "cli/explain/gateway_match.hpp"

#include "cli/explain/match_reader.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <optional>

namespace portitor::cli::explain {

namespace json = boost::json;

namespace {

/// A request as routes are matched against it.
struct matched_request
{
    std::string host;  ///< lower-case, without a port
    const request_target& of;
};

// The host name that the request's host falls under, the most specific one; nothing where it falls under
// none.
std::optional<std::string> matching_host(const std::vector<std::string>& hostnames, const std::string& host)
{
    if (hostnames.empty())
        return std::string();
    std::optional<std::string> best;
    for (const std::string& name : hostnames)
    {
        if (!host.empty() && host_fits(name, host) && (!best || name == host || name.size() > best->size()))
            best = name;
        if (best == host)
            break;
    }
    return best;
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

bool is_ours(const kube::object& route)
{
    const kube::owner_reference* owner = api::owning_offer(route.meta);
    return owner && route.meta.name == api::http_route_name(owner->name);
}

/// Finds the matches of one route in one way of being attached.
class route_reader
{
public:
    route_reader(const kube::object_ptr& route, const matched_request& request, bool is_traefik)
        : route_(route), request_(request), is_traefik_(is_traefik)
    {}

    void add_matches(const attachment& by, std::vector<candidate>& to) const
    {
        const auto host = matching_host(by.hostnames, request_.host);
        if (!host)
            return;
        static const json::array everything{json::object{}};
        const json::array& rules = kube::array_at(route_->spec(), "rules");
        for (std::size_t i = 0; i < rules.size(); ++i)
        {
            const json::object& rule = kube::as_object(rules[i]);
            const json::array& written = kube::array_at(rule, "matches");
            for (const json::value& each : written.empty() ? everything : written)
                add_match(kube::as_object(each), i, *host, by, to);
        }
    }

private:
    void add_match(
        const json::object& match,
        std::size_t index,
        const std::string& host,
        const attachment& by,
        std::vector<candidate>& to
    ) const
    {
        match_reader reader(match, request_.of);
        if (!reader.fits())
            return;
        candidate found;
        found.of = route_;
        found.route = route_->meta.key();
        found.rule = index;
        found.match = reader.path_in_words();
        if (!reader.method().empty())
            found.match += ", " + reader.method();
        if (!host.empty())
            found.match += ", host " + host;
        found.middlewares = middlewares_of(found.rule_in_route());
        found.backends = backends_of(found.rule_in_route(), *route_);
        found.only_if = reader.conditions();
        if (!by.only_if.empty())
            found.only_if += (found.only_if.empty() ? "" : ", ") + by.only_if;
        found.not_served = by.not_served;
        found.made_by_us = is_ours(*route_);
        found.by_query = reader.has_queries();
        found.since = kube::string_at(route_->raw, "metadata.creationTimestamp");
        order(found, reader, host, by);
        to.push_back(std::move(found));
    }

    // Traefik counts the longest of the names that the route is served for, whichever the request has, and
    // earlier rules above later ones. Elsewhere the name that the request falls under goes before all else.
    void
    order(candidate& found, const match_reader& reader, const std::string& host, const attachment& by) const
    {
        if (!is_traefik_)
        {
            found.rank = reader.rank();
            found.rank.insert(
                found.rank.begin(), {host == request_.host ? 1L : 0L, static_cast<long>(host.size())}
            );
            return;
        }
        std::size_t longest = 0;
        for (const std::string& each : by.hostnames)
            longest = std::max(longest, each.size());
        const std::size_t rules = kube::array_at(route_->spec(), "rules").size();
        found.priority = reader.priority() + static_cast<long>(longest + rules - found.rule);
        found.rank = {found.priority};
    }

    const kube::object_ptr& route_;
    const matched_request& request_;
    bool is_traefik_;
};

// What the gateway's order leaves open goes by age and name, as the Gateway API says.
bool comes_first(const candidate& left, const candidate& right)
{
    return std::tie(right.rank, left.since, left.route, left.rule) <
           std::tie(left.rank, right.since, right.route, right.rule);
}

bool is_same(const candidate& left, const candidate& right)
{
    return std::tie(left.route, left.rule, left.match, left.rank, left.only_if, left.not_served) ==
           std::tie(right.route, right.rule, right.match, right.rank, right.only_if, right.not_served);
}

}  // namespace

const json::object& candidate::rule_in_route() const
{
    return kube::as_object(kube::array_at(of->spec(), "rules").at(rule));
}

std::vector<candidate> find_candidates(
    const seen_kind& routes,
    const request_target& request,
    const arrival& where,
    const offer::plan_settings& settings
)
{
    std::vector<candidate> out;
    const matched_request asked{host_without_port(request.host), request};
    const bool is_traefik = settings.gateway.controller == traefik_controller;
    for (const auto& [key, route] : routes.objects)
    {
        if (!route->unreadable.empty())
            continue;
        const route_reader reader(route, asked, is_traefik);
        for (const attachment& each : find_attachments(*route, where, settings))
            reader.add_matches(each, out);
    }
    std::stable_sort(out.begin(), out.end(), comes_first);
    out.erase(std::unique(out.begin(), out.end(), is_same), out.end());
    return out;
}

}  // namespace portitor::cli::explain

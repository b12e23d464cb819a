#include "cli/explain/listeners.hpp"

#include "offer/parent_word.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <charconv>
#include <set>

namespace portitor::cli::explain {

namespace json = boost::json;

namespace {

// Why a gateway serves nothing at a listener, by what its controller says of the Gateway's present form.
std::string why_broken(const kube::object& gateway, const std::string& name, bool is_traefik)
{
    for (const json::value& each : kube::array_at(gateway.status(), "listeners"))
    {
        if (kube::string_at(kube::as_object(each), "name") != name)
            continue;
        for (const kube::condition& said : kube::parse_conditions(kube::as_object(each)))
        {
            const bool bad = said.type == "Conflicted" ? said.is_true() : said.status == "False";
            const bool counts = said.type == "Conflicted" || said.type == "Accepted" ||
                                said.type == "Programmed" || (is_traefik && said.type == "ResolvedRefs");
            if (bad && counts && said.observed_generation == gateway.meta.generation)
                return fmt::format("the Gateway's listener {} is not served: {}", name, said.reason);
        }
    }
    return {};
}

bool takes_http_routes(const json::object& of)
{
    const json::array& kinds = kube::array_at(of, "allowedRoutes.kinds");
    return kinds.empty() || std::any_of(kinds.begin(), kinds.end(), [](const json::value& each) {
               return kube::string_at(kube::as_object(each), "kind") == api::http_route_resource.kind;
           });
}

std::vector<listener> read_listeners(const kube::object& gateway, bool is_traefik)
{
    std::vector<listener> out;
    for (const json::value& each : kube::array_at(gateway.spec(), "listeners"))
    {
        const json::object& of = kube::as_object(each);
        listener read;
        read.protocol = kube::string_at(of, "protocol");
        if (read.protocol != "HTTP" && read.protocol != "HTTPS")
            continue;
        read.name = kube::string_at(of, "name");
        read.hostname = kube::string_at(of, "hostname");
        read.port = kube::int_at(of, "port");
        read.from = kube::string_or(of, "allowedRoutes.namespaces.from", "Same");
        read.broken = why_broken(gateway, read.name, is_traefik);
        read.takes_http_routes = takes_http_routes(of);
        out.push_back(std::move(read));
    }
    return out;
}

std::int64_t port_of(const request_target& request, const std::string& scheme)
{
    std::int64_t out = scheme == "https" ? 443 : 80;
    const std::size_t colon = request.host.rfind(':');
    if (colon != std::string::npos && request.host.find(']', colon) == std::string::npos)
        std::from_chars(request.host.data() + colon + 1, request.host.data() + request.host.size(), out);
    return out;
}

// The Gateway API, GatewaySpec.listeners: the most specific hostname takes the request, and routes of the
// others do not. Traefik knows routes only.
void keep_most_specific(std::vector<listener>& of, const std::string& host)
{
    const auto weight = [&](const listener& each) {
        return !host_fits(each.hostname, host) ? -1L
               : each.hostname == host         ? 1'000L
                                               : static_cast<long>(each.hostname.size());
    };
    long best = -1;
    for (const listener& each : of)
        best = std::max(best, weight(each));
    std::erase_if(of, [&](const listener& each) { return best < 0 || weight(each) != best; });
}

// The hostname that both stand for; empty where they have no host in common.
std::string common_host(const std::string& left, const std::string& right)
{
    const auto covers = [](const std::string& wide, const std::string& narrow) {
        return wide.starts_with("*.") && narrow.ends_with(std::string_view(wide).substr(1));
    };
    if (left == right || covers(left, right))
        return right;
    return covers(right, left) ? left : std::string();
}

// False where a route is served for no host there.
bool find_hostnames(const kube::object& route, const listener& at, std::vector<std::string>& out)
{
    const json::array& written = kube::array_at(route.spec(), "hostnames");
    if (written.empty() && !at.hostname.empty())
        out.push_back(at.hostname);
    for (const json::value& each : written)
    {
        const std::string name = each.is_string() ? std::string(each.get_string()) : std::string();
        const std::string both = at.hostname.empty() ? name : common_host(at.hostname, name);
        if (!both.empty())
            out.push_back(both);
    }
    return written.empty() || !out.empty();
}

bool covers_listener(const json::object& parent, const listener& at)
{
    const std::string section = kube::string_at(parent, "sectionName");
    const std::int64_t port = kube::int_at(parent, "port");
    return at.is_assumed || ((section.empty() || section == at.name) && (port == 0 || port == at.port));
}

bool is_same_parent(const json::object& left, const json::object& right)
{
    return kube::string_at(left, "sectionName") == kube::string_at(right, "sectionName") &&
           kube::int_at(left, "port") == kube::int_at(right, "port");
}

// Why a route is not served by one of its parentRefs, by what the Gateway's controller wrote.
std::string
why_not_served(const kube::object& route, const json::object& parent, const offer::plan_settings& settings)
{
    for (const json::value& each : kube::array_at(route.status(), "parents"))
    {
        const json::object& entry = kube::as_object(each);
        if (!offer::speaks_for_gateway(entry, route, settings) ||
            !is_same_parent(kube::object_at(entry, "parentRef"), parent))
            continue;
        const auto accepted = offer::present_word(entry, route, "Accepted");
        if (!accepted)
            return "the Gateway has not judged its present form yet";
        return accepted->is_true() ? std::string()
                                   : fmt::format(
                                         "the Gateway does not accept it: {}{}{}",
                                         accepted->reason,
                                         accepted->message.empty() ? "" : ": ",
                                         accepted->message
                                     );
    }
    return "the Gateway has not judged it yet";
}

// Whether the listener lets the route's namespace in; where only a selector knows, `only_if` says so.
std::string why_not_allowed(
    const kube::object& route, const listener& at, const offer::plan_settings& settings, std::string& only_if
)
{
    if (!at.broken.empty())
        return at.broken;
    if (!at.takes_http_routes)
        return fmt::format("the Gateway's listener {} takes no HTTPRoutes", at.name);
    if (at.from == "None" || (at.from == "Same" && route.meta.ns != settings.gateway.gateway.ns))
        return fmt::format(
            "the Gateway's listener {} lets no routes of namespace {} in", at.name, route.meta.ns
        );
    if (at.from == "Selector")
        only_if = fmt::format("the Gateway's listener {} selects the namespace {}", at.name, route.meta.ns);
    return {};
}

}  // namespace

bool host_fits(std::string_view hostname, std::string_view host)
{
    if (hostname.empty() || hostname == host)
        return true;
    if (!hostname.starts_with("*."))
        return false;
    const std::string_view rest = hostname.substr(1);
    return host.size() > rest.size() && host.ends_with(rest);
}

arrival find_arrival(
    const kube::object_ptr& gateway, const request_target& request, const offer::plan_settings& settings
)
{
    arrival out;
    out.scheme = request.scheme.empty() ? "http" : request.scheme;
    if (!gateway || !gateway->unreadable.empty())
    {
        listener any;
        any.is_assumed = true;
        out.at.push_back(std::move(any));
        return out;
    }
    const std::int64_t port = port_of(request, out.scheme);
    const bool is_traefik = settings.gateway.controller == traefik_controller;
    std::vector<listener> all = read_listeners(*gateway, is_traefik);
    out.of_all = all.size();
    const auto of_protocol = [&](std::string_view protocol) {
        std::vector<listener> some;
        std::copy_if(all.begin(), all.end(), std::back_inserter(some), [&](const listener& each) {
            return each.protocol == protocol;
        });
        return some;
    };
    out.at = of_protocol(out.scheme == "https" ? "HTTPS" : "HTTP");
    if (out.at.empty() && out.scheme == "https")
    {
        out.at = of_protocol("HTTP");
        out.scheme = "http";
        out.remarks.emplace_back("no listener of the Gateway ends TLS: it is taken to end in front of it");
    }
    if (std::any_of(out.at.begin(), out.at.end(), [&](const listener& each) { return each.port == port; }))
        std::erase_if(out.at, [&](const listener& each) { return each.port != port; });
    std::set<std::int64_t> ports;
    for (const listener& each : out.at)
        ports.insert(each.port);
    if (ports.size() > 1)
        out.remarks.push_back(fmt::format(
            "the Gateway listens for {} on ports {}, and which of them leads here is not known: routes of "
            "all are looked at",
            out.scheme,
            fmt::join(ports, ", ")
        ));
    if (!is_traefik)
        keep_most_specific(out.at, host_without_port(request.host));
    return out;
}

std::vector<attachment>
find_attachments(const kube::object& route, const arrival& where, const offer::plan_settings& settings)
{
    std::vector<attachment> out;
    bool is_of_gateway = false;
    for (const json::value& each : kube::array_at(route.spec(), "parentRefs"))
    {
        const json::object& parent = kube::as_object(each);
        if (!offer::names_gateway(parent, route, settings))
            continue;
        is_of_gateway = true;
        const std::string refused = why_not_served(route, parent, settings);
        // Who is accepted, and can be by one listener only, is let in there.
        const bool is_proof = where.of_all == 1 || !kube::string_at(parent, "sectionName").empty();
        for (const listener& at : where.at)
        {
            attachment made;
            if (!covers_listener(parent, at) || !find_hostnames(route, at, made.hostnames))
                continue;
            made.not_served = why_not_allowed(route, at, settings, made.only_if);
            if (!refused.empty())
                made.not_served = refused;
            if (is_proof)
                made.only_if.clear();
            out.push_back(std::move(made));
        }
    }
    if (out.empty() && is_of_gateway)
    {
        attachment elsewhere;
        find_hostnames(route, {}, elsewhere.hostnames);
        elsewhere.not_served = "no listener that it is attached to takes this request";
        out.push_back(std::move(elsewhere));
    }
    return out;
}

}  // namespace portitor::cli::explain

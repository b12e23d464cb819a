#include "cli/doctor/listeners.hpp"
#include "cli/doctor/looking.hpp"
#include "cli/doctor/verifier_pods.hpp"
#include "offer/hosts.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr kube::resource gateways{"gateway.networking.k8s.io", "v1", "gateways", "Gateway"};
constexpr kube::resource classes{"gateway.networking.k8s.io", "v1", "gatewayclasses", "GatewayClass"};

void judge_condition(const kube::object& gateway, const char* type, notebook& into)
{
    const auto all = kube::parse_conditions(gateway.status());
    const kube::condition* said = kube::find_condition(all, type);
    const std::string check = fmt::format("Gateway {}", gateway.meta.key().to_string());
    if (!said)
        return into.failure(
            check,
            fmt::format("nobody has said whether it is {}", type),
            "no controller looks after it: is Traefik running, with the provider kubernetesGateway?"
        );
    if (!said->is_true())
        return into.failure(
            check,
            fmt::format("{} is {} ({}): {}", type, said->status, said->reason, said->message),
            fmt::format("kubectl -n {} describe gateway {}", gateway.meta.ns, gateway.meta.name)
        );
    if (said->observed_generation < gateway.meta.generation)
        return into.warn(
            check,
            fmt::format("{} was said of an older generation of it", type),
            "is its controller still running?"
        );
    into.ok(check, fmt::format("{}", type));
}

/// What there is of a kind instead, " (there are: a, b)"; nothing where it cannot be listed.
asio::awaitable<std::string> there_are(const patient& of, kube::resource kind, const char* about)
{
    const auto all = co_await list(of.server, kind, {});
    if (!all)
        co_return std::string();
    std::vector<std::string> names;
    for (const kube::object_ptr& each : *all)
    {
        const std::string name = each->meta.ns.empty() ? each->meta.name : each->meta.key().to_string();
        names.push_back(fmt::format("{} of {}", name, kube::string_at(each->spec(), about)));
    }
    co_return names.empty() ? std::string(" (there is none at all)")
                            : fmt::format(" (there are: {})", some_of(names, 5));
}

void judge_controller(
    const patient& of, const std::string& check, const std::string& controller, notebook& into
)
{
    const bool is_traefiks = controller.find("traefik") != std::string::npos;
    const std::string& wanted = of.settings.gateway.controller;
    const std::string other_gateways =
        "the gate is a Middleware of Traefik, which other gateways do not know: name a Gateway of Traefik's";
    if (controller != wanted)
        into.failure(
            check,
            fmt::format("its controller is {}, but gateway-controller says {}", controller, wanted),
            is_traefiks ? "set gateway.controller of the chart to it: nobody else's word on a route counts"
                        : other_gateways
        );
    else if (!is_traefiks)
        into.warn(check, fmt::format("{} does not seem to be Traefik", controller), other_gateways);
    else
        into.ok(check, controller);
}

asio::awaitable<void> look_at_class(const patient& of, const kube::object& gateway, notebook& into)
{
    const std::string name = kube::string_at(gateway.spec(), "gatewayClassName");
    const std::string check = fmt::format("GatewayClass {}", name);
    const auto found = co_await of.server.get(classes, {"", name});
    if (found)
        judge_controller(of, check, kube::string_at((*found)->spec(), "controllerName"), into);
    else if (!found.error().is_not_found())
        into.unseen(check, found.error(), "get gatewayclasses");
    else
    {
        const std::string instead = co_await there_are(of, classes, "controllerName");
        into.failure(
            check, "it is not there" + instead, "install the gateway's controller, or name another class"
        );
    }
}

asio::awaitable<void> look_at_gateway(const patient& of, notebook& into)
{
    const kube::object_key key = of.settings.gateway.gateway;
    const std::string check = fmt::format("Gateway {}", key.to_string());
    if (key.name.empty())
    {
        into.failure("Gateway", "the settings name none: nothing can be published", "set gateway");
        co_return;
    }
    const auto found = co_await of.server.get(gateways, key);
    if (!found && found.error().is_not_found())
    {
        const std::string instead = co_await there_are(of, gateways, "gatewayClassName");
        into.failure(
            check,
            "it is not there" + instead,
            "create it, or set gateway.namespace and gateway.name of the chart"
        );
        co_return;
    }
    if (!found)
    {
        into.unseen(check, found.error(), "get gateways in " + key.ns);
        co_return;
    }
    judge_condition(**found, "Accepted", into);
    judge_condition(**found, "Programmed", into);
    co_await look_at_class(of, **found, into);
    co_await look_at_listeners(of, *found, into);
}

bool is_accepted(const kube::object& route)
{
    const json::array& parents = kube::array_at(route.status(), "parents");
    return std::any_of(parents.begin(), parents.end(), [](const json::value& each) {
        const auto all = kube::parse_conditions(kube::as_object(each));
        const kube::condition* said = kube::find_condition(all, "Accepted");
        return said && said->is_true();
    });
}

void look_at_discovery(const patient& of, notebook& into)
{
    constexpr const char* check = "discovery";
    if (!of.settings_known)
        return into.not_checked(check, "it takes the installation's settings to know whether it is wanted");
    if (of.discovery.service.name.empty())
        return into.info(check, "the lists of what is sold are not published (discovery-service)");
    if (!of.market || !of.market->of(offer::child_kind::http_route).synced())
        return into.not_checked(check, "the HTTPRoutes cannot be read");
    const kube::object_key key{of.discovery.service.ns, api::discovery_route_name};
    const auto route = of.market->of(offer::child_kind::http_route).objects().find(key);
    if (!route)
        return into.warn(
            check,
            fmt::format("the HTTPRoute {} is not there: buyers find no lists", key.to_string()),
            "is the controller running, and leading? See its log"
        );
    if (!is_accepted(*route))
        return into.warn(
            check,
            fmt::format("the Gateway does not accept the HTTPRoute {}", key.to_string()),
            fmt::format("kubectl -n {} describe httproute {}", key.ns, key.name)
        );
    into.ok(check, fmt::format("the HTTPRoute {} is accepted", key.to_string()));
}

// Who owns a host would not expect offers of others there.
void look_at_hosts(const patient& of, notebook& into)
{
    constexpr const char* check = "hosts";
    if (!of.settings_known)
        return into.not_checked(check, "it takes the installation's settings to know whose hosts are whose");
    const config::public_hosts all = of.settings.gateway.public_hosts();
    const std::size_t given = of.settings.gateway.hosts.entries.size();
    if (!all.every_host)
        return into.ok(
            check,
            fmt::format(
                "offers without a hostname are published on {}; entries of \"hosts\" give others: {}",
                fmt::join(all.names, ", "),
                given
            )
        );
    const std::string words = "offers without a hostname answer on every host of the listener";
    if (given == 0)
        return into.info(check, words);
    into.warn(
        check,
        words + ", also on those that \"hosts\" gives to namespaces",
        "name the public ones in publicHosts, or give the chart a publicURL with a name"
    );
}

// So many entries are told.
constexpr std::size_t most_entries = 20;

// After an upgrade to lists of hosts this is what there is to decide, all at once.
void look_at_missing_hosts(const patient& of, notebook& into)
{
    if (!of.market || !of.settings_known)
        return;
    std::map<std::string, std::set<std::string>> namespaces;
    for (const auto& [key, offer] : of.market->offers())
    {
        if (!offer->spec || offer->meta.deleted || api::is_held_by_predecessor(offer->meta))
            continue;
        const std::string host = offer::own_host(*offer->spec, of.settings);
        const kube::object_ptr home = of.market->observe(offer).home;
        if (!host.empty() &&
            offer::right_to_host(host, key.ns, home.get(), of.settings) == offer::host_right::refused)
            namespaces[host].insert(key.ns);
    }
    if (namespaces.empty())
        return;
    std::vector<std::string> entries;
    for (const auto& [host, all] : namespaces)
    {
        if (entries.size() < most_entries)
            entries.push_back(fmt::format("{{host: {}, namespaces: [{}]}}", host, fmt::join(all, ", ")));
    }
    into.warn(
        "hosts that nobody has",
        fmt::format(
            "offers name {} that their namespaces may not have, and are withheld (HostNotAllowed)",
            namespaces.size() == 1 ? "a host" : fmt::format("{} hosts", namespaces.size())
        ),
        fmt::format(
            "add to \"hosts\" those entries that are meant to be: {}{}",
            fmt::join(entries, ", "),
            namespaces.size() > entries.size() ? ", and more" : ""
        )
    );
}

}  // namespace

asio::awaitable<void> examine_gateway(const patient& of, notebook& into)
{
    co_await look_at_gateway(of, into);
    look_at_hosts(of, into);
    look_at_missing_hosts(of, into);
    co_await look_at_verifier(of, into);
    look_at_discovery(of, into);
}

}  // namespace portitor::cli::doctor

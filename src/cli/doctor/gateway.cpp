#include "cli/doctor/listeners.hpp"
#include "cli/doctor/looking.hpp"
#include "offer/watch_filters.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

#include <algorithm>

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

asio::awaitable<void> look_at_class(const patient& of, const kube::object& gateway, notebook& into)
{
    const std::string name = kube::string_at(gateway.spec(), "gatewayClassName");
    const std::string check = fmt::format("GatewayClass {}", name);
    const auto found = co_await of.server.get(classes, {"", name});
    if (!found)
    {
        if (found.error().is_not_found())
            into.failure(check, "it is not there", "install the gateway's controller, or name another class");
        else
            into.unseen(check, found.error(), "get gatewayclasses");
        co_return;
    }
    const std::string controller = kube::string_at((*found)->spec(), "controllerName");
    if (controller == of.settings.gateway.controller)
        into.ok(check, fmt::format("its controller is {}", controller));
    else
        into.failure(
            check,
            fmt::format(
                "its controller is {}, but gateway-controller says {}",
                controller,
                of.settings.gateway.controller
            ),
            "set gateway.controller of the chart to it: nobody else's word on a route counts"
        );
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
    if (!found)
    {
        if (found.error().is_not_found())
            into.failure(
                check, "it is not there", "create it, or set gateway.namespace and .name of the chart"
            );
        else
            into.unseen(check, found.error(), "get gateways in " + key.ns);
        co_return;
    }
    judge_condition(**found, "Accepted", into);
    judge_condition(**found, "Programmed", into);
    co_await look_at_class(of, **found, into);
    co_await look_at_listeners(of, *found, into);
}

/// The verifier's Service: as named, or as its URL says.
kube::object_key verifier_of(const config::gateway_options& settings)
{
    if (!settings.verifier_service.name.empty())
        return settings.verifier_service;
    const auto url = http::parse_url(settings.verifier_url);
    return url ? service_of(url->origin.host) : kube::object_key();
}

std::size_t count_ready(const std::vector<kube::object_ptr>& slices)
{
    std::size_t out = 0;
    for (const kube::object_ptr& slice : slices)
    {
        for (const json::value& each : kube::array_at(slice->raw, "endpoints"))
            out += kube::bool_at(kube::as_object(each), "conditions.ready", true) ? 1 : 0;
    }
    return out;
}

asio::awaitable<void> look_at_verifier(const patient& of, notebook& into)
{
    const kube::object_key service = verifier_of(of.settings.gateway);
    if (service.name.empty())
    {
        into.not_checked(
            "verifier",
            fmt::format("{} is no Service of this cluster", of.settings.gateway.verifier_url),
            "name it with verifier-service"
        );
        co_return;
    }
    const std::string check = fmt::format("Service {}", service.to_string());
    const auto slices =
        co_await list(of.server, api::endpoint_slice_resource, offer::endpoint_selection(service));
    if (!slices)
    {
        into.unseen(check, slices.error(), "list endpointslices in " + service.ns);
        co_return;
    }
    const std::size_t ready = count_ready(*slices);
    if (ready == 0)
        into.failure(
            check,
            "it has no ready endpoint: every paid route answers with an error",
            fmt::format("kubectl -n {} get pods: is a verifier running, and ready?", service.ns)
        );
    else
        into.ok(check, fmt::format("ready endpoints: {}", ready));
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

}  // namespace

asio::awaitable<void> examine_gateway(const patient& of, notebook& into)
{
    co_await look_at_gateway(of, into);
    co_await look_at_verifier(of, into);
    look_at_discovery(of, into);
}

}  // namespace portitor::cli::doctor

#include "offer/terms.hpp"

#include "offer/children.hpp"
#include "offer/conditions.hpp"
#include "offer/place.hpp"
#include "offer/price.hpp"

#include <portitor/api/names.hpp>

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>

namespace portitor::offer {

namespace {

constexpr const char* gate_condition = "PaymentGateReady";
constexpr const char* route_condition = "RoutePublished";
constexpr const char* upstream_condition = "UpstreamHealthy";

template <typename... Args>
obstacle gate_obstacle(const char* reason, fmt::format_string<Args...> text, Args&&... args)
{
    return {gate_condition, reason, fmt::format(text, std::forward<Args>(args)...)};
}

template <typename... Args>
obstacle route_obstacle(const char* reason, fmt::format_string<Args...> text, Args&&... args)
{
    return {route_condition, reason, fmt::format(text, std::forward<Args>(args)...)};
}

using maybe = std::optional<obstacle>;

std::optional<network_info> find_network(std::string_view name, const plan_settings& settings)
{
    return settings.find_network ? settings.find_network(name) : std::nullopt;
}

bool is_asset(const asset_info& known, const api::asset& asked)
{
    return (asked.address.empty() || boost::iequals(known.address, asked.address)) &&
           (asked.symbol.empty() || known.symbol == asked.symbol) &&
           (!asked.decimals || *asked.decimals == std::int64_t(known.decimals)) &&
           (asked.eip712_name.empty() || known.eip712_name == asked.eip712_name) &&
           (asked.eip712_version.empty() || known.eip712_version == asked.eip712_version);
}

// The operator's word on an asset counts: an offer that describes it otherwise would get unusable payments.
const asset_info* find_asset(const network_info& network, const std::optional<api::asset>& asked)
{
    const auto at = std::find_if(network.assets.begin(), network.assets.end(), [&](const asset_info& known) {
        return !asked || is_asset(known, *asked);
    });
    return at == network.assets.end() ? nullptr : &*at;
}

maybe fill_asset(
    const api::service_offer& offer,
    const plan_settings& settings,
    api::payment_route& route,
    unsigned& decimals
)
{
    const auto& payment = offer.payment;
    const auto network = find_network(payment.network, settings);
    if (!network)
        return gate_obstacle(
            "UnknownNetwork",
            "spec.payment.network: \"{}\" is not one of the operator's networks; write one that is, such as "
            "base-sepolia, or have the operator add it to \"networks\"",
            payment.network
        );
    const asset_info* asset = find_asset(*network, payment.asset);
    if (!asset)
        return gate_obstacle(
            "UnknownAsset",
            "spec.payment.asset is not, as described, one of the operator's assets on {}; correct its "
            "address, symbol, "
            "decimals and EIP-712 name and version, or leave spec.payment.asset out to take the network's "
            "first",
            network->caip2
        );
    if (payment.asset && payment.asset->transfer_method == "permit2")
        return gate_obstacle(
            "UnsupportedAsset",
            "spec.payment.asset.transferMethod: permit2 is not supported; write eip3009, with an asset that "
            "has it"
        );
    route.network = network->caip2;
    route.asset = asset->address;
    decimals = asset->decimals;
    return std::nullopt;
}

maybe fill_rules(const api::service_offer& offer, unsigned decimals, api::payment_route& route)
{
    const auto price = price_of(offer.payment.price, decimals, "spec.payment.price");
    if (!price)
        return gate_obstacle("InvalidPrice", "{}", price.error().message());
    route.price = price->atomic;
    route.model = price->model;
    route.per_mtok = price->per_mtok;
    route.approx_tokens_per_request = price->approx_tokens;
    for (std::size_t i = 0; i < offer.routes.size(); ++i)
    {
        const api::offer_route& each = offer.routes[i];
        api::payment_rule rule;
        rule.pattern = each.path;
        rule.access = each.access;
        if (each.access == api::gate::paid)
        {
            auto own = price;
            if (each.own_price)
                own = price_of(*each.own_price, decimals, fmt::format("spec.routes[{}].price", i));
            if (!own)
                return gate_obstacle("InvalidPrice", "{}", own.error().message());
            rule.price = own->atomic;
            rule.model = own->model;
            rule.per_mtok = own->per_mtok;
        }
        route.rules.push_back(std::move(rule));
    }
    return std::nullopt;
}

maybe fill_facilitator(
    const api::service_offer& offer, const plan_settings& settings, api::payment_route& route
)
{
    const std::string& name =
        offer.payment.facilitator.empty() ? settings.default_facilitator : offer.payment.facilitator;
    const auto at = settings.facilitators.find(name);
    if (at == settings.facilitators.end())
        return gate_obstacle(
            "UnknownFacilitator",
            "spec.payment.facilitator: \"{}\" is not on the operator's list; write a name that is, leave it "
            "out for the "
            "operator's default, or have the operator add it to \"facilitators\"",
            name
        );
    route.facilitator_url = at->second;
    return std::nullopt;
}

maybe fill_credential(
    const api::service_offer& offer, const plan_settings& settings, api::payment_route& route
)
{
    route.credential = offer.upstream.credential;
    if (route.credential.empty())
        return std::nullopt;
    const auto usable = [&](const credential_info& each) {
        return each.name == route.credential &&
               std::any_of(each.namespaces.begin(), each.namespaces.end(), [&](const std::string& ns) {
                   return ns == "*" || ns == offer.meta.ns;
               });
    };
    if (std::any_of(settings.credentials.begin(), settings.credentials.end(), usable))
        return std::nullopt;
    // The same words for "not there" and "not yours": names of other namespaces' credentials are not for
    // everyone.
    return gate_obstacle(
        "UnknownCredential",
        "spec.upstream.credential: \"{}\" is no credential that namespace {} may use; correct the name, or "
        "have the "
        "operator add it to \"credentials\" for this namespace",
        route.credential,
        offer.meta.ns
    );
}

maybe fill_terms(const api::service_offer& offer, const plan_settings& settings, api::payment_route& route)
{
    if (offer.payment.settlement == api::settlement::after_response)
        return gate_obstacle(
            "UnsupportedSettlement",
            "spec.payment.settlement: afterResponse is not available behind this gateway; write "
            "beforeResponse"
        );
    route.pattern = offer.path == "/" ? "/*" : offer.path + "/*";
    route.pay_to = offer.payment.pay_to;
    route.description = description_of(offer);
    route.max_timeout_seconds = offer.payment.max_timeout_seconds;
    route.settlement = offer.payment.settlement;
    route.public_url = settings.public_url.empty() ? "" : endpoint_of(offer, settings);
    unsigned decimals = 0;
    if (auto wrong = fill_asset(offer, settings, route, decimals))
        return wrong;
    if (auto wrong = fill_rules(offer, decimals, route))
        return wrong;
    if (auto wrong = fill_facilitator(offer, settings, route))
        return wrong;
    return fill_credential(offer, settings, route);
}

maybe check_placement(const api::service_offer& offer, const observation& seen, const plan_settings& settings)
{
    if (!may_use_upstream(offer, seen))
        return obstacle{
            upstream_condition,
            "CrossNamespaceUpstream",
            fmt::format(
                "spec.upstream.namespace: an offer in {0} may sell Service {1} of {2} only where {2} allows "
                "it; "
                "have a ReferenceGrant made in {2}, from HTTPRoute (gateway.networking.k8s.io) of namespace "
                "{0}, to Service {1}; or leave the field out, and create the offer in the Service's "
                "namespace",
                offer.meta.ns,
                offer.upstream.service,
                offer.upstream.ns
            )};
    if (is_reserved({offer.hostname, normal_path(offer.path)}))
        return route_obstacle(
            "ReservedPath",
            "spec.path: {} is reserved for the gateway itself; write another, such as /services/{}{}",
            offer.path,
            offer.meta.name,
            offer.path == "/" ? ", or give the offer a hostname of its own" : ""
        );
    if (!seen.path_owner.empty())
        return route_obstacle(
            "PathConflict",
            "spec.path: {} overlaps with the path of the older offer {}, which keeps it; write another path "
            "or hostname, or wait: when that offer goes, this one takes over by itself",
            offer.path,
            seen.path_owner
        );
    if (settings.gateway.name.empty())
        return route_obstacle(
            "NoGateway", "the operator named no Gateway: start the controller with --gateway NAMESPACE/NAME"
        );
    return std::nullopt;
}

maybe check_name(const kube::object_ptr& child, const kube::object& offer, const char* condition)
{
    if (!child || is_ours(*child, offer))
        return std::nullopt;
    return obstacle{condition, "NameTaken", taken_message(*child, offer)};
}

// A Middleware of somebody else would decide who pays, so no route may name it.
maybe check_names(const kube::object& offer, const observation& seen)
{
    if (auto taken = check_name(seen.middleware, offer, gate_condition))
        return taken;
    if (auto taken = check_name(seen.payment_route, offer, gate_condition))
        return taken;
    return check_name(seen.http_route, offer, route_condition);
}

// Suspended after enough failures in a row, and then until a success: a controller that has just started and
// knows nothing leaves it as it is.
bool is_suspended(const observation& seen, const plan_settings& settings)
{
    if (seen.probe.health == probe_result::verdict::healthy)
        return false;
    if (seen.probe.health == probe_result::verdict::unhealthy &&
        seen.probe.consecutive_failures >= settings.suspend_after)
        return true;
    return seen.payment_route && kube::bool_at(seen.payment_route->spec(), "suspended");
}

std::string upstream_origin(const api::service_offer& offer)
{
    return fmt::format("http://{}.{}.svc:{}", offer.upstream.service, offer.upstream.ns, offer.upstream.port);
}

constexpr const char* gate_open = "GateOpen";

std::optional<kube::condition> told_open_gate(const kube::object& offer)
{
    return last_finding(offer, route_condition, {gate_open});
}

// A route around the gate comes before what was seen through it: it may be the reason, and goes with the
// route.
maybe check_gate(const kube::object& offer, const api::service_offer& parsed, const observation& seen)
{
    if (const auto told = told_open_gate(offer))
        return obstacle{route_condition, gate_open, told->message};
    if (!seen.way_around.empty())
        return route_obstacle(
            unpaid_route,
            "{} leads to Service {} of {} without payment, on this offer's path or on one above or below it, "
            "so the offer is withheld; delete that rule, or lead it to another path or Service. What is to "
            "be "
            "free is written in spec.routes, with gate: free",
            seen.way_around,
            parsed.upstream.service,
            parsed.upstream.ns
        );
    if (seen.proof.said != gate_proof::verdict::open)
        return std::nullopt;
    return route_obstacle(
        gate_open,
        "an unpaid request to the offer's path was answered without the gate ({}), so the route is taken "
        "down. See which other route or service answers there, and that the gateway uses Middleware {}; "
        "then change the spec, or delete and apply the offer again",
        seen.proof.failure,
        api::middleware_name(offer.meta.name)
    );
}

}  // namespace

draft make_draft(
    const kube::object& offer, const observation& seen, const plan_settings& settings, clock::time_point now
)
{
    draft out;
    auto parsed = api::parse_service_offer(offer);
    if (!parsed)
    {
        out.blocked = gate_obstacle("InvalidSpec", "{}", parsed.error().message());
        return out;
    }
    out.offer = std::move(*parsed);
    out.ending = ending_of(*out.offer, now);
    api::payment_route route;
    if (out.ending.stage == drain_stage::drained)
        out.blocked = route_obstacle(
            "Drained",
            "taken down at {}, as spec.drainAt and spec.drainGracePeriod say; change or remove drainAt to "
            "sell again",
            to_rfc3339(out.ending.sold_until)
        );
    else
        out.blocked = fill_terms(*out.offer, settings, route);
    if (!out.blocked)
        out.blocked = check_placement(*out.offer, seen, settings);
    if (!out.blocked)
        out.blocked = check_names(offer, seen);
    if (!out.blocked)
        out.blocked = check_gate(offer, *out.offer, seen);
    if (!out.blocked)
    {
        route.suspended = is_suspended(seen, settings);
        out.route = std::move(route);
    }
    return out;
}

bool may_use_upstream(const api::service_offer& offer, const observation& seen)
{
    return offer.upstream.ns == offer.meta.ns || seen.upstream_granted;
}

bool tells_open_gate(const kube::object& offer)
{
    return told_open_gate(offer).has_value();
}

const registration_chain* find_chain(const std::string& name, const plan_settings& settings)
{
    if (settings.chains.empty())
        return nullptr;
    if (name.empty())
        return &settings.chains.front();
    const auto asked = find_network(name, settings);
    const auto at =
        std::find_if(settings.chains.begin(), settings.chains.end(), [&](const registration_chain& each) {
            if (each.name == name)
                return true;
            const auto known = find_network(each.name, settings);
            return asked && known && asked->caip2 == known->caip2;
        });
    return at == settings.chains.end() ? nullptr : &*at;
}

std::string endpoint_of(const api::service_offer& offer, const plan_settings& settings)
{
    if (settings.public_url.empty())
        return offer.path;
    if (offer.hostname.empty())
        return settings.public_url + offer.path;
    // A hostname of its own is reached by the same scheme and port as the gateway.
    const std::string scheme = settings.public_url.substr(0, settings.public_url.find("://") + 3);
    std::string authority = settings.public_url.substr(scheme.size());
    authority = authority.substr(0, authority.find('/'));
    const auto colon = authority.rfind(':');
    const std::string port =
        colon == authority.npos || authority.ends_with(']') ? "" : authority.substr(colon);
    return scheme + offer.hostname + port + offer.path;
}

std::optional<model_target> model_of(const api::service_offer& offer)
{
    if (offer.type != api::offer_type::inference || !offer.model || offer.model->name.empty())
        return std::nullopt;
    return model_target{upstream_origin(offer), offer.model->runtime, offer.model->name};
}

std::string agent_name(const api::service_offer& offer)
{
    return offer.registration.name.empty() ? offer.meta.name : offer.registration.name;
}

std::string description_of(const api::service_offer& offer)
{
    return offer.registration.description.empty() ? "ServiceOffer " + offer.meta.name
                                                  : offer.registration.description;
}

std::string agent_uri(const std::string& offer_uid, const plan_settings& settings)
{
    return fmt::format("{}/.well-known/agent-registration/{}.json", settings.public_url, offer_uid);
}

std::string upstream_url(const api::service_offer& offer)
{
    return upstream_origin(offer) + offer.upstream.health_path;
}

}  // namespace portitor::offer

#include "cli/cluster/shown_settings.hpp"

#include "offer/children.hpp"
#include "offer/naming.hpp"
#include "offer/paid_path.hpp"
#include "offer/parent_word.hpp"
#include "offer/price.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/payment_route.hpp>
#include <portitor/api/registration_request.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/config/groups.hpp>

#include <boost/algorithm/string/predicate.hpp>
#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::cli {

namespace json = boost::json;

using offer::child_kind;

namespace {

// As many as an asset may have.
constexpr unsigned most_decimals = 77;
// No request goes there: it stands for an address that only the controller uses.
constexpr const char* some_gateway_url = "http://gateway.invalid";

/// What is set where nobody has set anything: what differs from it was given by flags.
struct untouched
{
    config::gateway_options gateway = config::defaults<config::gateway_options>();
    config::facilitator_list facilitators = config::defaults<config::facilitator_list>();
};

const untouched& defaults()
{
    static const untouched all;
    return all;
}

/// `text` without `end`; empty where it does not end so.
std::string without_end(const std::string& text, const std::string& end)
{
    return text.ends_with(end) ? text.substr(0, text.size() - end.size()) : std::string();
}

void take_verifier(config::gateway_options& into, const offer::observation& seen)
{
    const kube::object* live = seen.children[child_kind::middleware].own();
    config::gateway_options usual = defaults().gateway;
    usual.ns = into.ns;
    usual.verifier_url.clear();
    if (!live || !usual.resolve() || into.verifier_url != usual.verifier_url)
        return;
    const std::string address = kube::string_at(live->spec(), "forwardAuth.address");
    const std::string url = without_end(
        address.substr(0, address.find('?')),
        fmt::format("/verify/{}/{}", seen.offer->meta.ns, seen.offer->meta.name)
    );
    if (!url.empty())
        into.verifier_url = url;
}

void take_origins(config::gateway_options& into, const offer::observation& seen)
{
    const kube::object* live = seen.children[child_kind::cors].own();
    if (!live || !into.cors_origins.empty())
        return;
    for (const json::value& each : kube::array_at(live->spec(), "headers.accessControlAllowOriginList"))
    {
        if (each.is_string())
            into.cors_origins.emplace_back(std::string_view(each.get_string()));
    }
}

/// Whose word on the route there is, where it is not that of the controller that is meant.
std::string controller_of(const kube::object& route, const offer::plan_settings& settings)
{
    std::string out = settings.gateway.controller;
    for (const json::value& each : kube::array_at(route.status(), "parents"))
    {
        const json::object& entry = kube::as_object(each);
        if (offer::speaks_for_gateway(entry, route, settings))
            return settings.gateway.controller;
        if (offer::names_gateway(kube::object_at(entry, "parentRef"), route, settings))
            out = kube::string_at(entry, "controllerName");
    }
    return out;
}

void take_gateway(offer::plan_settings& into, const offer::observation& seen)
{
    const kube::object* live = seen.children[child_kind::http_route].own();
    config::gateway_options& gateway = into.gateway;
    if (!live || gateway.gateway != defaults().gateway.gateway || !gateway.section.empty())
        return;
    // Portitor's own routes name one parent.
    const json::array& parents = kube::array_at(live->spec(), "parentRefs");
    if (parents.size() != 1)
        return;
    const json::object& parent = kube::as_object(parents.front());
    const kube::object_key key{
        kube::string_or(parent, "namespace", live->meta.ns), kube::string_at(parent, "name")};
    if (key.name.empty())
        return;
    gateway.gateway = key;
    gateway.section = kube::string_at(parent, "sectionName");
    if (gateway.controller == defaults().gateway.controller)
        gateway.controller = controller_of(*live, into);
}

std::string hash_of(const json::object& object)
{
    // The key holds points, so it is no path.
    const auto* found =
        kube::object_at(object, "metadata.annotations").if_contains(api::desired_hash_annotation);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

// What a live route has for hosts its offer may have; nothing of others is shown.
void take_hosts(
    offer::plan_settings& settings,
    const offer::observation& seen,
    const api::service_offer& offer,
    const api::service_offer& before,
    const api::payment_route& route
)
{
    config::gateway_options& into = settings.gateway;
    const kube::object* live = seen.children[child_kind::http_route].own();
    if (!live || !into.hosts.written_public.empty() || !into.hosts.entries.empty())
        return;
    std::vector<std::string> shown;
    for (const json::value& each : kube::array_at(live->spec(), "hostnames"))
    {
        if (each.is_string())
            shown.emplace_back(std::string_view(each.get_string()));
    }
    const std::string named = config::host_name(before.hostname);
    if (!named.empty() && shown == std::vector{named})
    {
        if (offer.hostname == before.hostname)
            into.hosts.entries.push_back({named, {offer.meta.ns}, std::nullopt});
        return;
    }
    // Another public URL than theirs was given: then its host is what counts.
    const config::public_hosts known = into.public_hosts();
    if (!shown.empty() && !known.names.empty() &&
        std::find(shown.begin(), shown.end(), known.names.front()) == shown.end())
        return;
    offer::plan_settings as_shown = settings;
    as_shown.gateway.hosts.written_public = shown.empty() ? std::vector<std::string>{"*"} : std::move(shown);
    // What somebody else has written there is no setting.
    const json::object made =
        offer::desired_http_route(before, as_shown, offer::paid_path(route).has_value());
    if (hash_of(made) == hash_of(live->raw))
        into.hosts = std::move(as_shown.gateway.hosts);
}

// Where its HTTPRoute cannot be seen, the offer's own word that it is published says that the host is its
// own.
void take_own_host(
    config::gateway_options& into, const offer::observation& seen, const offer::offer_record& before
)
{
    const kube::condition* told =
        before.status.find_present(api::condition_type::route_published, before.meta.generation);
    const bool is_open = into.hosts.written_public.empty() && into.hosts.entries.empty() &&
                         !seen.children[child_kind::http_route].own();
    if (!is_open || !told || !told->is_true() || !seen.offer->spec || !before.spec ||
        seen.offer->spec->hostname != before.spec->hostname || before.spec->hostname.empty())
        return;
    into.hosts.entries.push_back({config::host_name(before.spec->hostname), {before.meta.ns}, std::nullopt});
}

using live_registration = std::optional<api::registration_request>;

void take_public_url(
    config::gateway_options& into,
    const std::string& uid,
    const live_registration& request,
    const api::payment_route& route
)
{
    if (!into.public_url.empty())
        return;
    const std::string path = route.pattern == "/*" ? "/" : without_end(route.pattern, "/*");
    into.public_url = without_end(route.public_url, path);
    if (!request)
        return;
    // Exact also where the offer has a hostname of its own.
    const std::string url = without_end(request->agent_uri, offer::agent_uri(uid, {}));
    if (!url.empty())
        into.public_url = url;
}

void take_facilitator(
    config::facilitator_list& into,
    const api::service_offer& offer,
    const api::service_offer& before,
    const api::payment_route& route
)
{
    const std::string& asked = offer.payment.facilitator;
    if (asked != before.payment.facilitator)
        return;
    const config::facilitator_list& usual = defaults().facilitators;
    const config::facilitator* there = into.find(asked.empty() ? into.default_name : asked);
    if (there && there->url == route.facilitator_url)
        return;
    const config::facilitator* untouched = there ? usual.find(there->name) : nullptr;
    const bool is_given = (asked.empty() && into.default_name != usual.default_name) ||
                          (there && (!untouched || untouched->url != there->url));
    if (is_given)
        return;
    // Its name is the operator's; that of a default is not shown.
    const std::string name = asked.empty() ? "default" : asked;
    std::erase_if(into.entries, [&](const config::facilitator& each) { return each.name == name; });
    into.entries.push_back({name, route.facilitator_url});
    if (asked.empty())
        into.default_name = name;
}

/// The decimals by which the price that is written comes to the one that is asked.
std::optional<unsigned> decimals_of(const api::service_offer& before, const api::payment_route& route)
{
    for (unsigned decimals = 0; decimals <= most_decimals; ++decimals)
    {
        const auto price = offer::price_of(before.payment.price, decimals, "price");
        if (price && price->atomic == route.price)
            return decimals;
    }
    return std::nullopt;
}

void take_network(
    x402::network_table& into,
    const api::service_offer& offer,
    const api::service_offer& before,
    const api::payment_route& route
)
{
    const x402::network* known = into.find(offer.payment.network);
    if (offer.payment.network != before.payment.network || (known && known->caip2 != route.network) ||
        (known && known->find_token(route.asset)))
        return;
    const auto decimals = decimals_of(before, route);
    if (!decimals)
        return;
    const api::asset written = before.payment.asset.value_or(api::asset());
    x402::token token;
    token.address = route.asset;
    token.symbol = written.symbol.empty() ? route.asset : written.symbol;
    // Only buyers need the domain, and nobody pays by this.
    token.name = written.eip712_name.empty() ? "unknown" : written.eip712_name;
    token.version = written.eip712_version.empty() ? "unknown" : written.eip712_version;
    token.decimals = *decimals;
    x402::network network;
    network.caip2 = route.network;
    if (offer.payment.network.find(':') == std::string::npos)
        network.aliases.push_back(offer.payment.network);
    network.tokens.push_back(std::move(token));
    // One that contradicts what is known says nothing.
    if (x402::network_table more = into; more.add(std::move(network)))
        into = std::move(more);
}

void take_credential(
    config::credential_list& into, const api::service_offer& offer, const api::payment_route& route
)
{
    if (!route.credential.empty() && route.credential == offer.upstream.credential)
        into.entries.push_back({route.credential, {}, {offer.meta.ns}});
}

void take_chain(config::chain_list& into, const live_registration& request)
{
    if (!request || request->chain.empty() || request->registry.empty())
        return;
    std::erase_if(into.entries, [&](const config::chain& each) { return each.name == request->chain; });
    into.entries.insert(into.entries.begin(), {request->chain, request->registry, {}});
}

/// An object of the offer's, as `parse` reads it; nothing where it is not there or cannot be read.
template <typename Parse>
auto read_own(const offer::observation& seen, child_kind kind, Parse parse)
{
    const kube::object* live = seen.children[kind].own();
    auto read = live ? parse(*live) : fail(errc::not_found, "it is not there");
    return read ? std::optional(std::move(*read)) : std::nullopt;
}

/// Whether the controller has tried the gate, or does: then it knows the gateway's own URL.
void take_proof(config::gateway_options& into, const offer::offer_record& before)
{
    namespace because = api::because;
    const kube::condition* told =
        before.status.find_present(api::condition_type::route_published, before.meta.generation);
    if (!told || !into.gateway_url.empty())
        return;
    for (const api::reason& each :
         {because::published,
          because::gate_not_proved,
          because::gate_open,
          because::foreign_route,
          because::proving_gate})
    {
        if (told->reason == each.name)
            into.gateway_url = some_gateway_url;
    }
}

}  // namespace

offer::plan_settings shown_settings(
    const offer::plan_settings& given, const offer::observation& seen, const offer::offer_record& before
)
{
    offer::plan_settings out = given;
    take_verifier(out.gateway, seen);
    take_origins(out.gateway, seen);
    take_gateway(out, seen);
    const live_registration registration =
        read_own(seen, child_kind::registration, &api::parse_registration_request);
    take_chain(out.lists.chains, registration);
    take_proof(out.gateway, before);
    take_own_host(out.gateway, seen, before);
    const auto route = read_own(seen, child_kind::payment_route, &api::parse_payment_route);
    if (!route || !seen.offer->spec || !before.spec)
        return out;
    take_public_url(out.gateway, seen.offer->meta.uid, registration, *route);
    take_hosts(out, seen, *seen.offer->spec, *before.spec, *route);
    take_facilitator(out.lists.facilitators, *seen.offer->spec, *before.spec, *route);
    take_network(out.lists.networks.table, *seen.offer->spec, *before.spec, *route);
    take_credential(out.lists.credentials, *seen.offer->spec, *route);
    return out;
}

bool shows_settings(const offer::observation& seen)
{
    return seen.children[child_kind::payment_route].own() || seen.children[child_kind::middleware].own() ||
           seen.children[child_kind::http_route].own();
}

}  // namespace portitor::cli

#include "offer/draft.hpp"

#include "offer/children.hpp"
#include "offer/gate_trial.hpp"
#include "offer/gateway_names.hpp"
#include "offer/hosts.hpp"
#include "offer/paid_path.hpp"
#include "offer/place.hpp"
#include "offer/terms.hpp"

#include <portitor/api/names.hpp>

namespace portitor::offer {

namespace {

using maybe = std::optional<obstacle>;
namespace type = api::condition_type;
namespace because = api::because;

// A facilitator may list more than anybody reads.
std::string listed_words(const x402::served_networks& served)
{
    constexpr std::size_t most = 8;
    std::vector<std::string_view> names;
    for (const std::string& each : served.names())
    {
        if (names.size() == most)
            break;
        names.emplace_back(each);
    }
    if (names.empty())
        return "none with the scheme exact";
    return fmt::format("{}{}", fmt::join(names, ", "), served.names().size() > most ? " and more" : "");
}

maybe check_drained(const ending& of)
{
    if (of.stage != drain_stage::drained)
        return std::nullopt;
    return make_obstacle(
        type::route_published,
        because::drained,
        "taken down at {}, as spec.drainAt and spec.drainGracePeriod say; change or remove drainAt "
        "to sell again",
        to_rfc3339(of.sold_until)
    );
}

// What a field means that nothing is sold by is not left out in silence: something else would be sold.
maybe check_supported(const offer_record& offer)
{
    if (offer.unsupported.empty() || !offer.unsupported.front().withholds)
        return std::nullopt;
    return make_obstacle(
        type::not_supported, because::not_sold, "{}", told_unsupported(offer.unsupported, true)
    );
}

// Until it is asked, what it said to a controller before this one stands.
maybe check_facilitator(
    const observation& seen, const plan_settings& settings, const api::payment_route& route
)
{
    const facilitator_word& word = seen.facilitator;
    if (word.said == facilitator_word::verdict::unasked)
    {
        const kube::condition* told =
            seen.offer->status.find_present(type::payment_gate_ready, seen.offer->meta.generation);
        if (told && told->reason == because::network_not_served.name)
            return make_obstacle(type::payment_gate_ready, because::network_not_served, "{}", told->message);
        return std::nullopt;
    }
    if (word.said != facilitator_word::verdict::listed || word.served->has(route.network))
        return std::nullopt;
    return make_obstacle(
        type::payment_gate_ready,
        because::network_not_served,
        "spec.payment.network: facilitator {} does not serve {}, by its answer to GET /supported (it lists "
        "{}), so no buyer could pay; write a network that it serves, or have the operator name a facilitator "
        "that serves this one",
        settings.lists.facilitators.name_of(route.facilitator_url),
        route.network,
        listed_words(*word.served)
    );
}

maybe check_limit(const observation& seen, const plan_settings& settings)
{
    if (!seen.beyond_limit)
        return std::nullopt;
    return make_obstacle(
        type::route_published,
        because::too_many_offers,
        "the operator sells {} offers of a namespace (offers-per-namespace; in the chart "
        "limits.offersPerNamespace), and {} has as many older ones; delete one of them, and this one takes "
        "its place by itself, or have the operator raise the limit",
        settings.lists.offers.per_namespace,
        seen.offer->meta.ns
    );
}

maybe check_upstream(const api::service_offer& offer, const observation& seen)
{
    if (may_use_upstream(offer, seen) && seen.service == service_nature::external)
        return make_obstacle(
            type::upstream_healthy,
            because::external_name_upstream,
            "spec.upstream.service: Service {} of {} is an ExternalName, which leads wherever its name does; "
            "no gateway serves it, and it is not asked. Name a Service with a selector, or one without whose "
            "EndpointSlices have the addresses",
            offer.upstream.service,
            offer.upstream.ns
        );
    if (may_use_upstream(offer, seen))
        return std::nullopt;
    return make_obstacle(
        type::upstream_healthy,
        because::cross_namespace_upstream,
        "spec.upstream.namespace: an offer in {0} may sell Service {1} of {2} only where {2} allows it; "
        "have a ReferenceGrant made in {2}, from HTTPRoute (gateway.networking.k8s.io) of namespace {0}, "
        "to Service {1}; or leave the field out, and create the offer in the Service's namespace",
        offer.meta.ns,
        offer.upstream.service,
        offer.upstream.ns
    );
}

// The words are the very entry that is missing.
maybe check_host(const api::service_offer& offer, const observation& seen, const plan_settings& settings)
{
    const std::string host = own_host(offer, settings);
    if (host.empty())
        return std::nullopt;
    switch (right_to_host(host, offer.meta.ns, seen.home.get(), settings))
    {
    case host_right::allowed:
        return std::nullopt;
    case host_right::unknown:
        return make_obstacle(
            type::route_published,
            because::host_not_allowed,
            "spec.hostname: whether namespace {1} may have {0} depends on the labels of the Namespace, which "
            "nobody has shown yet; if this lasts, see that the controller may list Namespaces, or have the "
            "operator add to \"hosts\": {{host: {0}, namespaces: [{1}]}}",
            host,
            offer.meta.ns
        );
    case host_right::refused:
        break;
    }
    return make_obstacle(
        type::route_published,
        because::host_not_allowed,
        "spec.hostname: namespace {1} may not have {0}; have the operator add to \"hosts\": {{host: {0}, "
        "namespaces: [{1}]}}, or leave the hostname out to sell on the public hosts",
        host,
        offer.meta.ns
    );
}

// Who else is there is not for other namespaces to know. Where many want one path, a name would have to be
// written anew into each of them whenever the one that has it goes.
std::string words_for_owner(const api::service_offer& offer, const observation& seen)
{
    if (!seen.path_owner.starts_with(offer.meta.ns + "/"))
        return "an earlier offer of another namespace";
    return seen.path_crowded ? "an earlier offer of this namespace" : "the earlier offer " + seen.path_owner;
}

maybe check_place(const api::service_offer& offer, const observation& seen, const plan_settings& settings)
{
    if (is_reserved({own_host(offer, settings), normal_path(offer.path)}))
        return make_obstacle(
            type::route_published,
            because::reserved_path,
            "spec.path: {} is reserved for the gateway itself; write another, such as /services/{}{}",
            offer.path,
            offer.meta.name,
            offer.path == "/" ? ", or give the offer a hostname of its own" : ""
        );
    if (!seen.path_owner.empty())
        return make_obstacle(
            type::route_published,
            because::path_conflict,
            "spec.path: {} overlaps with the path of {}, which keeps it; write another path "
            "or hostname, or wait: when that offer goes, this one takes over by itself",
            offer.path,
            words_for_owner(offer, seen)
        );
    if (settings.gateway.gateway.name.empty())
        return make_obstacle(
            type::route_published,
            because::no_gateway,
            "the operator named no Gateway: start the controller with --gateway NAMESPACE/NAME"
        );
    return std::nullopt;
}

// A Middleware of somebody else would decide who pays, so no route may name it.
maybe check_names(const observation& seen, const plan_settings& settings)
{
    for (const child_kind kind :
         {child_kind::middleware,
          child_kind::cors,
          child_kind::in_flight,
          child_kind::rate,
          child_kind::payment_route,
          child_kind::http_route})
    {
        const child& each = seen.children[kind];
        if (has_middleware(kind, *seen.offer->spec, settings) && each.live && !each.ours)
            return make_obstacle(
                type_of(kind).condition,
                because::name_taken,
                "{}",
                taken_message(*each.live, seen.offer->meta)
            );
    }
    return std::nullopt;
}

// What the gateway cannot find would never be served.
maybe check_fit_names(const kube::object_meta& offer, const plan_settings& settings)
{
    const kube::object_key middleware = type_of(child_kind::middleware).key_for(offer);
    if (!is_of_traefik(settings) || is_found_by_gateway(middleware))
        return std::nullopt;
    const bool is_namespaces = !is_found_by_gateway({offer.ns, "x"});
    return make_obstacle(
        type::route_published,
        because::unfit_name,
        "Traefik finds no Middleware {}, since {} {} has a point in it, or two dashes side by side; {}",
        middleware.to_string(),
        is_namespaces ? "the namespace" : "the name",
        is_namespaces ? offer.ns : offer.name,
        is_namespaces ? "make the offer in another namespace" : "give the offer another name"
    );
}

// Who has it besides is not for other namespaces to know.
maybe check_gateway_names(const observation& seen)
{
    if (seen.name_clash.empty())
        return std::nullopt;
    return make_obstacle(
        type::route_published,
        because::name_clash,
        "{} has, for the gateway, the same name as one of another namespace, and either may answer in the "
        "other's place: Traefik joins namespace and name with a dash, so a-hello of team and hello of team-a "
        "are one to it. Give the Service or the offer another name",
        seen.name_clash
    );
}

// The proof is about what the HTTPRoute publishes now.
bool is_tried_well(const observation& seen)
{
    const kube::object* live = seen.children[child_kind::http_route].own();
    return !seen.trial.empty() && live && is_trial_route(*live) &&
           seen.proof.said == gate_proof::verdict::proved;
}

// A route around the gate comes before what was seen through it: it may be the reason, and goes with the
// route.
maybe check_gate(
    const api::service_offer& offer,
    const observation& seen,
    const plan_settings& settings,
    const api::payment_route& terms
)
{
    // Where nobody can ask any more, or all is free, there is nothing to wait for.
    const kube::condition* told = told_open_gate(*seen.offer);
    if (told && !is_tried_well(seen) && !settings.gateway.gateway_url.empty() && paid_path(terms))
        return make_obstacle(type::route_published, because::gate_open, "{}", told->message);
    if (!seen.way_around.empty())
        return make_obstacle(
            type::route_published,
            because::unpaid_route,
            "{} leads to Service {} of {} without payment, on this offer's path or on one above or below "
            "it, so the offer is withheld; delete that rule, or lead it to another path or Service. What "
            "is to be free is written in spec.routes, with gate: free",
            seen.way_around,
            offer.upstream.service,
            offer.upstream.ns
        );
    if (seen.proof.said != gate_proof::verdict::open)
        return std::nullopt;
    return make_obstacle(
        type::route_published,
        because::gate_open,
        "an unpaid request to the offer's path was answered without the gate ({}), so the route is taken "
        "down. See which other route or service answers there, and that the gateway uses Middleware {}. It "
        "is tried again, on a path of its own, when the spec, a route or a Middleware changes, and after 5 "
        "to 60 minutes; once the gate refuses there, the offer is published again",
        seen.proof.failure,
        api::middleware_name(offer.meta.name)
    );
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
    const kube::object_ptr& live = seen.children[child_kind::payment_route].live;
    return live && kube::bool_at(live->spec(), "suspended");
}

}  // namespace

draft make_draft(const observation& seen, const plan_settings& settings, clock::time_point now)
{
    draft out;
    out.blocked = check_supported(*seen.offer);
    if (out.blocked)
    {
        if (seen.offer->spec)
            out.ending = ending_of(*seen.offer->spec, now);
        return out;
    }
    if (!seen.offer->spec)
    {
        out.blocked =
            make_obstacle(type::payment_gate_ready, because::invalid_spec, "{}", seen.offer->unreadable);
        return out;
    }
    const api::service_offer& offer = *seen.offer->spec;
    out.ending = ending_of(offer, now);
    api::payment_route route;
    out.blocked = check_drained(out.ending);
    if (!out.blocked)
        out.blocked = check_limit(seen, settings);
    if (!out.blocked)
    {
        out.blocked = fill_terms(offer, settings, route);
        if (!out.blocked)
            out.facilitator_url = route.facilitator_url;
    }
    if (!out.blocked)
        out.blocked = check_facilitator(seen, settings, route);
    if (!out.blocked)
        out.blocked = check_upstream(offer, seen);
    if (!out.blocked)
        out.blocked = check_host(offer, seen, settings);
    if (!out.blocked)
        out.blocked = check_place(offer, seen, settings);
    if (!out.blocked)
        out.blocked = check_names(seen, settings);
    if (!out.blocked)
        out.blocked = check_fit_names(seen.offer->meta, settings);
    if (!out.blocked)
        out.blocked = check_gateway_names(seen);
    if (!out.blocked)
        out.blocked = check_gate(offer, seen, settings, route);
    const bool is_on_trial = out.blocked && out.blocked->reason == because::gate_open.name &&
                             told_open_gate(*seen.offer) && !seen.trial.empty();
    if (out.blocked && !is_on_trial)
        return out;
    route.suspended = is_suspended(seen, settings);
    (is_on_trial ? out.on_trial : out.route) = std::move(route);
    return out;
}

std::string told_unsupported(const std::vector<api::unsupported_field>& fields, bool only_withholding)
{
    std::string out;
    for (const api::unsupported_field& each : fields)
    {
        if (!only_withholding || each.withholds)
            out += fmt::format("{}{}: {}", out.empty() ? "" : ". ", each.field, each.words);
    }
    return out + (only_withholding ? ". The offer is kept, and not sold" : ". The offer is sold without");
}

bool may_use_upstream(const api::service_offer& offer, const observation& seen)
{
    return offer.upstream.ns == offer.meta.ns || seen.upstream_granted;
}

// A namespace of others is none of our business.
bool is_upstream_asked(const api::service_offer& offer, const observation& seen)
{
    return may_use_upstream(offer, seen) && !seen.beyond_limit && seen.service != service_nature::external;
}

const kube::condition* told_open_gate(const offer_record& offer)
{
    const kube::condition* told = kube::find_condition(offer.status.conditions, type::route_published);
    return told && told->reason == because::gate_open.name ? told : nullptr;
}

}  // namespace portitor::offer

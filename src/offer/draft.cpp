#include "offer/draft.hpp"

#include "offer/children.hpp"
#include "offer/gate_trial.hpp"
#include "offer/paid_path.hpp"
#include "offer/place.hpp"
#include "offer/terms.hpp"

#include <portitor/api/names.hpp>

namespace portitor::offer {

namespace {

using maybe = std::optional<obstacle>;
namespace type = api::condition_type;
namespace because = api::because;

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

maybe check_upstream(const api::service_offer& offer, const observation& seen)
{
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

maybe check_place(const api::service_offer& offer, const observation& seen, const plan_settings& settings)
{
    if (is_reserved({offer.hostname, normal_path(offer.path)}))
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
            "spec.path: {} overlaps with the path of the older offer {}, which keeps it; write another path "
            "or hostname, or wait: when that offer goes, this one takes over by itself",
            offer.path,
            seen.path_owner
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
         {child_kind::middleware, child_kind::cors, child_kind::payment_route, child_kind::http_route})
    {
        const child& each = seen.children[kind];
        const bool is_wanted = kind != child_kind::cors || !settings.gateway.cors_origins.empty();
        if (is_wanted && each.live && !each.ours)
            return make_obstacle(
                type_of(kind).condition,
                because::name_taken,
                "{}",
                taken_message(*each.live, seen.offer->meta)
            );
    }
    return std::nullopt;
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
        out.blocked = fill_terms(offer, settings, route);
    if (!out.blocked)
        out.blocked = check_upstream(offer, seen);
    if (!out.blocked)
        out.blocked = check_place(offer, seen, settings);
    if (!out.blocked)
        out.blocked = check_names(seen, settings);
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

bool may_use_upstream(const api::service_offer& offer, const observation& seen)
{
    return offer.upstream.ns == offer.meta.ns || seen.upstream_granted;
}

const kube::condition* told_open_gate(const offer_record& offer)
{
    const kube::condition* told = kube::find_condition(offer.status.conditions, type::route_published);
    return told && told->reason == because::gate_open.name ? told : nullptr;
}

}  // namespace portitor::offer

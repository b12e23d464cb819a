#include "offer/conditions.hpp"

#include "offer/children.hpp"
#include "offer/paid_path.hpp"

#include <portitor/api/names.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

std::string gateway_name(const plan_settings& settings)
{
    return settings.gateway.to_string();
}

// An obstacle is told by the condition that it is about; the others point there.
kube::condition blocked_condition(const char* type, const obstacle& why)
{
    if (why.condition == type)
        return make_condition(type, "False", why.reason, "{}", why.message);
    return make_condition(
        type, "False", "Withheld", "the offer is not sold: see condition {} ({})", why.condition, why.reason
    );
}

kube::condition apply_failed(const char* type, const std::string& why)
{
    return make_condition(
        type,
        "False",
        "ApplyFailed",
        "{}; see that its CRD is installed in a version that has these fields, and that the controller may "
        "write it",
        why
    );
}

kube::condition model_ready(const evidence& all)
{
    constexpr const char* type = "ModelReady";
    const api::service_offer& offer = *all.wanted.offer;
    const auto target = model_of(offer);
    if (!target)
        return make_condition(
            type,
            "False",
            "MissingModel",
            "spec.model.name is missing: write the model that the upstream serves"
        );
    switch (all.seen.model.said)
    {
    case model_listing::verdict::listed:
        return make_condition(
            type, "True", "Listed", "the runtime at {} lists model {}", target->base_url, target->model
        );
    case model_listing::verdict::missing:
        return make_condition(
            type,
            "False",
            "NotListed",
            "the runtime at {} does not list model {}; load it there, or correct spec.model.name",
            target->base_url,
            target->model
        );
    case model_listing::verdict::unreadable:
        return make_condition(
            type,
            "False",
            "RuntimeUnreadable",
            "the models of the runtime at {} cannot be read: {}; see that spec.model.runtime says what runs "
            "there",
            target->base_url,
            all.seen.model.failure
        );
    case model_listing::verdict::unknown:
        break;
    }
    if (auto last = last_finding(all.offer, type, {"Listed", "NotListed", "RuntimeUnreadable"}))
        return *last;
    return make_condition(
        type, "Unknown", "Asking", "the runtime at {} is being asked for its models", target->base_url
    );
}

kube::condition upstream_healthy(const evidence& all)
{
    constexpr const char* type = "UpstreamHealthy";
    const auto& blocked = all.wanted.blocked;
    if (blocked && blocked->condition == type)
        return blocked_condition(type, *blocked);
    if (!all.wanted.offer)
        return make_condition(
            type, "Unknown", "InvalidSpec", "the upstream is probed once the spec can be read"
        );
    const api::service_offer& offer = *all.wanted.offer;
    const std::string url = upstream_url(offer);
    const probe_result& probe = all.seen.probe;
    if (probe.health == probe_result::verdict::healthy)
        return make_condition(type, "True", "Healthy", "{} answers", url);
    if (probe.health == probe_result::verdict::unhealthy)
        return make_condition(
            type,
            "False",
            "Unhealthy",
            "{}: {}; see that Service {} has ready endpoints that answer there with 2xx, or correct "
            "spec.upstream. It is "
            "probed every {} s{}",
            url,
            probe.failure,
            offer.upstream.service,
            all.settings.probe_period.count(),
            probe.consecutive_failures >= all.settings.suspend_after
                ? ", and nobody is asked to pay before it answers"
                : ""
        );
    if (auto last = last_finding(all.offer, type, {"Healthy", "Unhealthy"}))
        return *last;
    return make_condition(type, "Unknown", "Probing", "{} is being probed for the first time", url);
}

kube::condition payment_gate_ready(const evidence& all)
{
    constexpr const char* type = "PaymentGateReady";
    if (all.wanted.blocked)
        return blocked_condition(type, *all.wanted.blocked);
    if (!all.gate_error.empty())
        return apply_failed(type, all.gate_error);
    if (all.gate_hold)
        return make_condition(type, "False", all.gate_hold->reason, "{}", all.gate_hold->words);
    const kube::object_ptr& route = all.seen.payment_route;
    if (route && !all.seen.middleware)
        return make_condition(
            type,
            "False",
            "MiddlewareMissing",
            "Middleware {} is gone, so the gateway does not serve the route; it is being made again",
            api::middleware_name(all.offer.meta.name)
        );
    const char* waiting =
        "no verifier has taken up the present terms yet; if this lasts, see that the verifier runs";
    if (!route || all.gate_changes)
        return make_condition(type, "Unknown", "WaitingForAdmission", "{}", waiting);
    const api::admission said = api::read_admission(*route);
    const bool admitted = said.admitted && said.generation == route->meta.generation;
    if (!admitted && said.refused && said.about_generation == route->meta.generation)
        return make_condition(
            type,
            "False",
            "NotAdmitted",
            "the verifier refuses the terms: {} ({}); correct spec.payment or the verifier's configuration",
            said.message,
            said.reason
        );
    if (!admitted)
        return make_condition(type, "Unknown", "WaitingForAdmission", "{}", waiting);
    if (all.settings.verifier_endpoints_required && !all.seen.verifier_ready.value_or(false))
        return make_condition(
            type,
            all.seen.verifier_ready ? "False" : "Unknown",
            "NoVerifierEndpoints",
            "the verifier's Service has no ready endpoint, so every request is refused; see that its pods "
            "run and are ready"
        );
    return make_condition(type, "True", "Admitted", "the verifier sells this offer on its present terms");
}

bool is_our_parent(const json::object& entry, const kube::object& route, const plan_settings& settings)
{
    const json::value* ref = entry.if_contains("parentRef");
    if (!ref || !ref->is_object() || kube::string_at(entry, "controllerName") != settings.gateway_controller)
        return false;
    const json::object& parent = ref->get_object();
    const std::string ns = kube::string_at(parent, "namespace");
    return kube::string_at(parent, "name") == settings.gateway.name &&
           (ns.empty() ? route.meta.ns : ns) == settings.gateway.ns &&
           kube::string_at(parent, "sectionName") == settings.gateway_section;
}

// What the Gateway's controller says, in its own words where it refuses. A verdict on an older generation is
// none.
kube::condition
verdict_of_parent(const json::object& entry, const kube::object& route, const plan_settings& settings)
{
    constexpr const char* type = "RoutePublished";
    const auto conditions = kube::parse_conditions(entry);
    for (const char* needed : {"Accepted", "ResolvedRefs"})
    {
        const auto* said = kube::find_condition(conditions, needed);
        if (!said || said->observed_generation != route.meta.generation)
            return make_condition(
                type,
                "Unknown",
                "WaitingForGateway",
                "Gateway {} has not judged the present route yet; if this lasts, see that its controller "
                "runs",
                gateway_name(settings)
            );
        if (!said->is_true())
            return make_condition(
                type,
                "False",
                said->reason.empty() ? std::string_view("NotAccepted") : std::string_view(said->reason),
                "Gateway {}: {} is {}: {}; correct spec.upstream, spec.path or spec.hostname, or what the "
                "Gateway allows",
                gateway_name(settings),
                needed,
                said->status,
                said->message.empty() ? "no reason given" : said->message
            );
    }
    return make_condition(
        type, "True", "Published", "Gateway {} publishes the route", gateway_name(settings)
    );
}

// What the gateway says, before any proof of the gate.
kube::condition route_accepted(const evidence& all)
{
    constexpr const char* type = "RoutePublished";
    if (!all.route_error.empty())
        return apply_failed(type, all.route_error);
    if (all.route_hold)
        return make_condition(type, "False", all.route_hold->reason, "{}", all.route_hold->words);
    const kube::object_ptr& route = all.seen.http_route;
    if (!route || all.route_changes)
        return make_condition(type, "Unknown", "WaitingForGateway", "the HTTPRoute is being written");
    // A route without its Middleware is accepted all the same, and then served by nobody, or by a wider
    // route.
    if (!all.seen.middleware)
        return make_condition(
            type,
            "False",
            "MiddlewareMissing",
            "Middleware {} is gone, so the gateway does not serve the route; it is being made again",
            api::middleware_name(all.offer.meta.name)
        );
    std::optional<kube::condition> worst;
    const json::value* parents = route->status().if_contains("parents");
    for (const json::value& each : parents && parents->is_array() ? parents->get_array() : json::array())
    {
        if (!each.is_object() || !is_our_parent(each.get_object(), *route, all.settings))
            continue;
        auto verdict = verdict_of_parent(each.get_object(), *route, all.settings);
        if (verdict.is_true())
            return verdict;
        if (!worst || verdict.status == "False")
            worst = std::move(verdict);
    }
    if (worst)
        return *worst;
    return make_condition(
        type,
        "Unknown",
        "WaitingForGateway",
        "Gateway {} has not answered; if this lasts, see that it exists, that its controller runs, and that "
        "its listener "
        "allows routes from namespace {}",
        gateway_name(all.settings),
        all.offer.meta.ns
    );
}

// The word of the gateway's controller is not enough where the gate itself can be asked.
kube::condition proved(kube::condition accepted, const evidence& all)
{
    constexpr const char* type = "RoutePublished";
    switch (all.seen.proof.said)
    {
    case gate_proof::verdict::proved:
        return make_condition(
            type,
            "True",
            "Published",
            "Gateway {} publishes the route, and refuses it unpaid",
            gateway_name(all.settings)
        );
    case gate_proof::verdict::not_proved:
        return make_condition(
            type,
            "False",
            "GateNotProved",
            "an unpaid request through {} should get the gate's refusal, but: {}; see that the gateway "
            "serves this host and path, and reaches the verifier",
            all.settings.gateway_url,
            all.seen.proof.failure
        );
    case gate_proof::verdict::unknown:
    case gate_proof::verdict::open:  // an obstacle: see make_draft()
        break;
    }
    if (auto last = last_finding(all.offer, type, {"Published", "GateNotProved"}))
        return *last;
    accepted.status = "Unknown";
    accepted.reason = "ProvingGate";
    accepted.message = fmt::format(
        "Gateway {} accepts the route; whether it refuses unpaid requests is being tried",
        gateway_name(all.settings)
    );
    return accepted;
}

kube::condition route_published(const evidence& all)
{
    if (all.wanted.blocked)
        return blocked_condition("RoutePublished", *all.wanted.blocked);
    kube::condition accepted = route_accepted(all);
    if (!accepted.is_true() || !wanted_proof(all))
        return accepted;
    return proved(std::move(accepted), all);
}

kube::condition draining(const draft& wanted)
{
    if (wanted.ending.stage == drain_stage::drained)
        return make_condition(
            "Draining", "True", "Drained", "taken down at {}", to_rfc3339(wanted.ending.sold_until)
        );
    return make_condition(
        "Draining",
        "True",
        "Draining",
        "sold until {}, then taken down; change or remove spec.drainAt to keep it",
        to_rfc3339(wanted.ending.sold_until)
    );
}

const kube::condition* first_not_true(const std::vector<kube::condition>& conditions, const evidence& all)
{
    // What prevents the sale explains more than what waits for it.
    if (all.wanted.blocked)
        return kube::find_condition(conditions, all.wanted.blocked->condition);
    for (const std::string_view type : needed_for_ready)
    {
        const auto* each = kube::find_condition(conditions, type);
        if (!each || !each->is_true())
            return each;
    }
    return nullptr;
}

kube::condition ready(const std::vector<kube::condition>& conditions, const evidence& all)
{
    if (const auto* blocking = first_not_true(conditions, all))
        return make_condition(
            "Ready", "False", blocking->reason, "{}: {}", blocking->type, blocking->message
        );
    return make_condition("Ready", "True", "Ready", "the offer is published and sold");
}

// Where buyers reach it: a wildcard host by any of its names.
std::string host_of_offer(const api::service_offer& offer, const plan_settings& settings)
{
    if (offer.hostname.starts_with('*'))
        return "portitor" + offer.hostname.substr(1);
    if (!offer.hostname.empty())
        return offer.hostname;
    const auto scheme = settings.public_url.find("://");
    if (scheme == std::string::npos)
        return {};
    const std::string authority = settings.public_url.substr(scheme + 3);
    return authority.substr(0, authority.find('/'));
}

}  // namespace

std::optional<kube::condition>
last_finding(const kube::object& offer, const char* type, std::initializer_list<std::string_view> reasons)
{
    const auto live = kube::parse_conditions(offer.status());
    const auto* last = kube::find_condition(live, type);
    const bool was_found = last && std::find(reasons.begin(), reasons.end(), last->reason) != reasons.end();
    if (!was_found || last->observed_generation != offer.meta.generation)
        return std::nullopt;
    return *last;
}

std::optional<proof_target> wanted_proof(const evidence& all)
{
    const kube::object_ptr& route = all.seen.http_route;
    const kube::object_ptr& gate = all.seen.middleware;
    if (all.settings.gateway_url.empty() || all.wanted.blocked || !route || !gate || all.route_changes ||
        !route_accepted(all).is_true())
        return std::nullopt;
    const auto path = paid_path(*all.wanted.route);
    if (!path)
        return std::nullopt;
    proof_target out;
    out.url = all.settings.gateway_url + *path;
    out.host = host_of_offer(*all.wanted.offer, all.settings);
    out.route = all.offer.meta.key().to_string();
    out.version = fmt::format(
        "{}/{} {}/{}", route->meta.uid, route->meta.generation, gate->meta.uid, gate->meta.generation
    );
    return out;
}

std::vector<kube::condition> judge(const evidence& all)
{
    std::vector<kube::condition> out;
    const auto& offer = all.wanted.offer;
    if (offer && offer->type == api::offer_type::inference)
        out.push_back(model_ready(all));
    out.push_back(upstream_healthy(all));
    out.push_back(payment_gate_ready(all));
    out.push_back(route_published(all));
    if (all.wanted.ending.stage != drain_stage::none)
        out.push_back(draining(all.wanted));
    out.push_back(ready(out, all));
    for (kube::condition& each : out)
        each.observed_generation = all.offer.meta.generation;
    return out;
}

bool three_hold(const std::vector<kube::condition>& conditions)
{
    return std::all_of(needed_for_ready.begin(), needed_for_ready.end(), [&](std::string_view type) {
        const auto* each = kube::find_condition(conditions, type);
        return each && each->is_true();
    });
}

std::vector<kube::condition> judge_deleting(const kube::object& offer, const std::string& waiting_for)
{
    std::vector<kube::condition> out = kube::parse_conditions(offer.status());
    const auto set = [&](const char* type) {
        const auto at =
            std::find_if(out.begin(), out.end(), [&](const auto& each) { return each.type == type; });
        kube::condition gone = make_condition(
            type, "False", "Deleting", "the offer is being deleted; still there: {}", waiting_for
        );
        gone.observed_generation = offer.meta.generation;
        if (at == out.end())
            out.push_back(std::move(gone));
        else
            *at = std::move(gone);
    };
    set("RoutePublished");
    set("Ready");
    return out;
}

}  // namespace portitor::offer

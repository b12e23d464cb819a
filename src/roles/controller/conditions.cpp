#include "roles/controller/conditions.hpp"

#include "roles/controller/children.hpp"

#include <portitor/api/names.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>

namespace portitor::controller {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 3> needed_for_ready{"UpstreamHealthy", "PaymentGateReady", "RoutePublished"};

template <typename... Args>
kube::condition make(
    const char* type, const char* status, std::string_view reason, fmt::format_string<Args...> text, Args&&... args
)
{
    return {type, status, std::string(reason), fmt::format(text, std::forward<Args>(args)...), 0, {}};
}

std::string gateway_name(const plan_settings& settings)
{
    return settings.gateway.to_string();
}

// An obstacle is told by the condition that it is about; the others point there.
kube::condition blocked_condition(const char* type, const obstacle& why)
{
    if (why.condition == type)
        return make(type, "False", why.reason, "{}", why.message);
    return make(type, "False", "Withheld", "the offer is not sold: see condition {} ({})", why.condition, why.reason);
}

kube::condition apply_failed(const char* type, const std::string& why)
{
    return make(
        type,
        "False",
        "ApplyFailed",
        "{}; see that its CRD is installed in a version that has these fields, and that the controller may write it",
        why
    );
}

kube::condition model_ready(const api::service_offer& offer)
{
    if (!offer.model || offer.model->name.empty())
        return make(
            "ModelReady", "False", "MissingModel", "spec.model.name is missing: write the model that the upstream serves"
        );
    return make(
        "ModelReady",
        "True",
        "Declared",
        "the offer declares model {}; whether the upstream serves it is not checked beyond its health path",
        offer.model->name
    );
}

// A controller that has just started has not probed yet: what was found for this very spec still stands.
std::optional<kube::condition> last_health(const kube::object& offer)
{
    const auto live = kube::parse_conditions(offer.status());
    const auto* last = kube::find_condition(live, "UpstreamHealthy");
    const bool was_probed = last && (last->reason == "Healthy" || last->reason == "Unhealthy");
    if (!was_probed || last->observed_generation != offer.meta.generation)
        return std::nullopt;
    return *last;
}

kube::condition upstream_healthy(const evidence& all)
{
    constexpr const char* type = "UpstreamHealthy";
    const auto& blocked = all.wanted.blocked;
    if (blocked && blocked->condition == type)
        return blocked_condition(type, *blocked);
    if (!all.wanted.offer)
        return make(type, "Unknown", "InvalidSpec", "the upstream is probed once the spec can be read");
    const api::service_offer& offer = *all.wanted.offer;
    const std::string url = upstream_url(offer);
    const probe_result& probe = all.seen.probe;
    if (probe.health == probe_result::verdict::healthy)
        return make(type, "True", "Healthy", "{} answers", url);
    if (probe.health == probe_result::verdict::unhealthy)
        return make(
            type,
            "False",
            "Unhealthy",
            "{}: {}; see that Service {} has ready endpoints that answer there with 2xx, or correct spec.upstream. It is "
            "probed every {} s{}",
            url,
            probe.failure,
            offer.upstream.service,
            all.settings.probe_period.count(),
            probe.consecutive_failures >= all.settings.suspend_after
                ? ", and nobody is asked to pay before it answers"
                : ""
        );
    if (auto last = last_health(all.offer))
        return *last;
    return make(type, "Unknown", "Probing", "{} is being probed for the first time", url);
}

kube::condition payment_gate_ready(const evidence& all)
{
    constexpr const char* type = "PaymentGateReady";
    if (all.wanted.blocked)
        return blocked_condition(type, *all.wanted.blocked);
    if (!all.gate_error.empty())
        return apply_failed(type, all.gate_error);
    const kube::object_ptr& route = all.seen.payment_route;
    if (route && !all.seen.middleware)
        return make(
            type,
            "False",
            "MiddlewareMissing",
            "Middleware {} is gone, so the gateway does not serve the route; it is being made again",
            api::middleware_name(all.offer.meta.name)
        );
    const char* waiting = "no verifier has taken up the present terms yet; if this lasts, see that the verifier runs";
    if (!route || all.gate_changes)
        return make(type, "Unknown", "WaitingForAdmission", "{}", waiting);
    const api::admission said = api::read_admission(*route);
    const bool admitted = said.admitted && said.generation == route->meta.generation;
    if (!admitted && said.refused && said.about_generation == route->meta.generation)
        return make(
            type,
            "False",
            "NotAdmitted",
            "the verifier refuses the terms: {} ({}); correct spec.payment or the verifier's configuration",
            said.message,
            said.reason
        );
    if (!admitted)
        return make(type, "Unknown", "WaitingForAdmission", "{}", waiting);
    if (all.settings.verifier_endpoints_required && !all.seen.verifier_ready.value_or(false))
        return make(
            type,
            all.seen.verifier_ready ? "False" : "Unknown",
            "NoVerifierEndpoints",
            "the verifier's Service has no ready endpoint, so every request is refused; see that its pods run and are ready"
        );
    return make(type, "True", "Admitted", "the verifier sells this offer on its present terms");
}

bool is_our_parent(const json::object& entry, const kube::object& route, const plan_settings& settings)
{
    const json::value* ref = entry.if_contains("parentRef");
    if (!ref || !ref->is_object() || kube::string_at(entry, "controllerName").empty())
        return false;
    const json::object& parent = ref->get_object();
    const std::string ns = kube::string_at(parent, "namespace");
    return kube::string_at(parent, "name") == settings.gateway.name &&
           (ns.empty() ? route.meta.ns : ns) == settings.gateway.ns &&
           kube::string_at(parent, "sectionName") == settings.gateway_section;
}

// What the Gateway's controller says, in its own words where it refuses. A verdict on an older generation is none.
kube::condition verdict_of_parent(const json::object& entry, const kube::object& route, const plan_settings& settings)
{
    constexpr const char* type = "RoutePublished";
    const auto conditions = kube::parse_conditions(entry);
    for (const char* needed : {"Accepted", "ResolvedRefs"})
    {
        const auto* said = kube::find_condition(conditions, needed);
        if (!said || said->observed_generation != route.meta.generation)
            return make(
                type,
                "Unknown",
                "WaitingForGateway",
                "Gateway {} has not judged the present route yet; if this lasts, see that its controller runs",
                gateway_name(settings)
            );
        if (!said->is_true())
            return make(
                type,
                "False",
                said->reason.empty() ? std::string_view("NotAccepted") : std::string_view(said->reason),
                "Gateway {}: {} is {}: {}; correct spec.upstream, spec.path or spec.hostname, or what the Gateway allows",
                gateway_name(settings),
                needed,
                said->status,
                said->message.empty() ? "no reason given" : said->message
            );
    }
    return make(type, "True", "Published", "Gateway {} publishes the route", gateway_name(settings));
}

kube::condition route_published(const evidence& all)
{
    constexpr const char* type = "RoutePublished";
    if (all.wanted.blocked)
        return blocked_condition(type, *all.wanted.blocked);
    if (!all.route_error.empty())
        return apply_failed(type, all.route_error);
    const kube::object_ptr& route = all.seen.http_route;
    if (!route || all.route_changes)
        return make(type, "Unknown", "WaitingForGateway", "the HTTPRoute is being written");
    // A route without its Middleware is accepted all the same, and then served by nobody, or by a wider route.
    if (!all.seen.middleware)
        return make(
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
    return make(
        type,
        "Unknown",
        "WaitingForGateway",
        "Gateway {} has not answered; if this lasts, see that it exists, that its controller runs, and that its listener "
        "allows routes from namespace {}",
        gateway_name(all.settings),
        all.offer.meta.ns
    );
}

kube::condition draining(const draft& wanted)
{
    if (wanted.drain == drain_stage::drained)
        return make("Draining", "True", "Drained", "taken down at {}", to_rfc3339(wanted.drained_at));
    return make(
        "Draining",
        "True",
        "Draining",
        "sold until {}, then taken down; change or remove spec.drainAt to keep it",
        to_rfc3339(wanted.drained_at)
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
        return make("Ready", "False", blocking->reason, "{}: {}", blocking->type, blocking->message);
    return make("Ready", "True", "Ready", "the offer is published and sold");
}

kube::condition judge_registration(const kube::object& live, bool enabled)
{
    constexpr const char* type = "Registered";
    const api::registration_state state = api::read_registration_state(live);
    const std::string why = state.error_message.empty() ? "no reason given" : state.error_message;
    if (enabled && live.meta.deleted)
        return make(type, "Unknown", "Pending", "the registration's request was deleted; it is being made again");
    if (!enabled)
    {
        if (state.phase == api::registration_phase::failed)
            return make(
                type,
                "False",
                "RetirementFailed",
                "agent {} could not be retired: {}; see that the registrar's account has funds and its chain answers",
                state.agent_id,
                why
            );
        return make(type, "Unknown", "Retiring", "the registration is being retired");
    }
    const std::string chain = kube::string_at(live.spec(), "chain");
    switch (state.phase)
    {
    case api::registration_phase::confirmed:
        return make(type, "True", "Confirmed", "registered on {} as agent {}", chain, state.agent_id);
    case api::registration_phase::off_chain_only:
        return make(
            type,
            "True",
            "OffChainOnly",
            "the registration document is published, nothing is on chain: {}; the offer is sold all the same",
            why
        );
    case api::registration_phase::failed:
        return make(
            type,
            "False",
            "Failed",
            "registration on {} failed: {}; it is tried again, and the offer is sold all the same. See that the "
            "registrar's account has funds and its chain answers",
            chain,
            why
        );
    case api::registration_phase::submitted:
        return make(type, "Unknown", "Submitted", "transaction {} waits for its confirmations", state.tx_hash);
    default:
        return make(
            type, "Unknown", "Pending", "the registrar has not taken it up yet; if this lasts, see that it runs"
        );
    }
}

kube::condition registered(const std::vector<kube::condition>& conditions, const evidence& all)
{
    constexpr const char* type = "Registered";
    const kube::object_ptr& live = all.seen.registration;
    const bool taken = live && !is_ours(*live, all.offer);
    if (!all.wanted.offer)
        return make(type, "Unknown", "InvalidSpec", "a registration that exists is kept until the spec can be read");
    const api::registration& wanted = all.wanted.offer->registration;
    if (!wanted.enabled && (!live || taken))
        return make(type, "True", "Disabled", "spec.registration.enabled is false");
    if (taken)
        return make(type, "False", "NameTaken", "{}", taken_message(*live, all.offer));
    if (!live && all.settings.public_url.empty())
        return make(
            type,
            "False",
            "NoPublicURL",
            "a registration names the public address of its document, and the operator set none: start the controller "
            "with --public-url"
        );
    const registration_chain* chain = find_chain(wanted.chain, all.settings);
    if (!live && !chain && wanted.chain.empty())
        return make(
            type,
            "True",
            "OffChainOnly",
            "the registration document is published, nothing is on chain: the operator configured no chain"
        );
    if (wanted.enabled && !chain)
        return make(
            type,
            "False",
            "UnknownChain",
            "spec.registration.chain: \"{}\" is not one of the operator's chains; write one that is, or have the operator "
            "add it to \"chains\"",
            wanted.chain
        );
    if (live)
        return judge_registration(*live, wanted.enabled);
    if (three_hold(conditions))
        return make(type, "Unknown", "Pending", "the registration is being requested");
    return make(type, "Unknown", "WaitingForRoute", "the offer is registered once it is published and sold");
}

bool is_news(const kube::condition& now, const kube::condition* before)
{
    // Nobody asks about these: they repeat another condition, or say that nothing was to be done.
    static constexpr std::array<std::string_view, 7> quiet{
        "Disabled", "Declared", "Withheld", "Deleting", "Drained", "InvalidSpec", "MiddlewareMissing"
    };
    const bool repeats = now.type == "Ready" && now.status != "True";
    const bool is_quiet = std::find(quiet.begin(), quiet.end(), now.reason) != quiet.end() &&
                          !(now.reason == "Drained" && now.type == "Draining") &&
                          !(now.reason == "InvalidSpec" && now.status == "False");
    if (repeats || is_quiet || now.status == "Unknown")
        return false;
    return !before || before->status != now.status || (now.status == "False" && before->reason != now.reason);
}

}  // namespace

std::vector<kube::condition> judge(const evidence& all)
{
    std::vector<kube::condition> out;
    const auto& offer = all.wanted.offer;
    if (offer && offer->type == api::offer_type::inference)
        out.push_back(model_ready(*offer));
    out.push_back(upstream_healthy(all));
    out.push_back(payment_gate_ready(all));
    out.push_back(route_published(all));
    if (all.wanted.drain != drain_stage::none)
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

void add_registered(std::vector<kube::condition>& conditions, const evidence& all)
{
    kube::condition it = registered(conditions, all);
    it.observed_generation = all.offer.meta.generation;
    conditions.insert(conditions.end() - 1, std::move(it));
}

std::vector<kube::condition> judge_deleting(const kube::object& offer, const std::string& waiting_for)
{
    std::vector<kube::condition> out = kube::parse_conditions(offer.status());
    const auto set = [&](const char* type) {
        const auto at = std::find_if(out.begin(), out.end(), [&](const auto& each) { return each.type == type; });
        kube::condition gone =
            make(type, "False", "Deleting", "the offer is being deleted; still there: {}", waiting_for);
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

std::string phase_of(const std::vector<kube::condition>& conditions, const evidence& all)
{
    if (all.wanted.drain == drain_stage::drained)
        return "Drained";
    if (all.wanted.blocked)
        return "Blocked";
    if (all.wanted.route->suspended)
        return "Suspended";
    if (all.wanted.drain == drain_stage::draining)
        return "Draining";
    return three_hold(conditions) ? "Ready" : "Pending";
}

std::optional<json::object> make_status(
    const kube::object& offer,
    std::vector<kube::condition> conditions,
    std::string phase,
    std::string endpoint,
    const kube::object_ptr& registration,
    clock::time_point now
)
{
    const auto live = kube::parse_conditions(offer.status());
    kube::keep_transition_times(conditions, live, now);
    json::array list;
    for (const kube::condition& each : conditions)
        list.push_back(kube::to_json(each));
    const auto registered = registration ? api::read_registration_state(*registration) : api::registration_state{};
    // Every field is written, also an empty one: then nothing stays behind, whoever wrote it.
    json::object wanted{
        {"observedGeneration", offer.meta.generation},
        {"phase", phase},
        {"endpoint", endpoint},
        {"agentId", registered.agent_id},
        {"registrationTxHash", registered.tx_hash},
        {"conditions", std::move(list)},
    };
    // Conditions of other types belong to others; ours are compared one by one, whatever their order.
    const auto holds = [&](const json::value& condition) {
        const json::value* all = offer.status().if_contains("conditions");
        return all && all->is_array() &&
               std::any_of(all->get_array().begin(), all->get_array().end(), [&](const json::value& each) {
                   return kube::contains(each, condition);
               });
    };
    json::object rest = wanted;
    rest.erase("conditions");
    const json::array& ours = wanted["conditions"].as_array();
    if (kube::contains(offer.status(), rest) && std::all_of(ours.begin(), ours.end(), holds))
        return std::nullopt;
    return wanted;
}

std::vector<note> transitions(const kube::object& offer, const std::vector<kube::condition>& conditions)
{
    std::vector<note> out;
    const auto live = kube::parse_conditions(offer.status());
    for (const kube::condition& each : conditions)
    {
        if (!is_news(each, kube::find_condition(live, each.type)))
            continue;
        const auto type = each.is_true() ? note::severity::normal : note::severity::warning;
        out.push_back({type, each.reason, each.message});
    }
    return out;
}

}  // namespace portitor::controller

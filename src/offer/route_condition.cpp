#include "offer/route_condition.hpp"

#include "offer/gate_trial.hpp"
#include "offer/naming.hpp"
#include "offer/paid_path.hpp"
#include "offer/parent_word.hpp"

namespace portitor::offer {

namespace json = boost::json;
namespace because = api::because;
namespace condition_type = api::condition_type;

namespace {

bool is_our_parent(const json::object& entry, const kube::object& route, const plan_settings& settings)
{
    return speaks_for_gateway(entry, route, settings) &&
           kube::string_at(entry, "parentRef.sectionName") == settings.gateway.section;
}

// What the Gateway's controller says, in its own words where it refuses.
kube::condition
verdict_of_parent(const json::object& entry, const kube::object& route, const plan_settings& settings)
{
    constexpr std::string_view type = condition_type::route_published;
    for (const char* needed : {"Accepted", "ResolvedRefs"})
    {
        const auto said = present_word(entry, route, needed);
        if (!said)
            return make_condition(
                type,
                "Unknown",
                because::waiting_for_gateway,
                "Gateway {} has not judged the present route yet; if this lasts, see that its controller "
                "runs",
                settings.gateway.gateway.to_string()
            );
        if (!said->is_true())
            return make_condition(
                type,
                "False",
                said->reason.empty() ? because::not_accepted : api::reason{said->reason},
                "Gateway {}: {} is {}: {}; correct spec.upstream, spec.path or spec.hostname, or what the "
                "Gateway allows",
                settings.gateway.gateway.to_string(),
                needed,
                said->status,
                said->message.empty() ? "no reason given" : said->message
            );
    }
    return make_condition(
        type,
        "True",
        because::published,
        "Gateway {} publishes the route",
        settings.gateway.gateway.to_string()
    );
}

// What the gateway says, before any proof of the gate.
kube::condition route_accepted(const evidence& all)
{
    constexpr std::string_view type = condition_type::route_published;
    if (auto kept = kept_from(type, all))
        return std::move(*kept);
    const kube::object_ptr& route = all.seen_of(child_kind::http_route).live;
    if (all.done[child_kind::http_route].in_line)
        return make_condition(
            type,
            "Unknown",
            because::waiting_for_gateway,
            "the HTTPRoute is written once Gateway {} has judged others of namespace {} that have changed",
            all.settings.gateway.gateway.to_string(),
            all.offer().meta.ns
        );
    if (!route || all.done[child_kind::http_route].writes)
        return make_condition(
            type, "Unknown", because::waiting_for_gateway, "the HTTPRoute is being written"
        );
    // A route without its Middleware is accepted all the same, and then served by nobody, or by a wider
    // route.
    if (auto missing = middleware_missing(type, all))
        return std::move(*missing);
    std::optional<kube::condition> worst;
    for (const json::value& each : kube::array_at(route->status(), "parents"))
    {
        const json::object& parent = kube::as_object(each);
        if (!is_our_parent(parent, *route, all.settings))
            continue;
        auto verdict = verdict_of_parent(parent, *route, all.settings);
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
        because::waiting_for_gateway,
        "Gateway {} has not answered; if this lasts, see that it exists, that its controller runs, and "
        "that its listener allows routes from namespace {}",
        all.settings.gateway.gateway.to_string(),
        all.offer().meta.ns
    );
}

// The word of the gateway's controller is not enough where the gate itself can be asked.
kube::condition proved(kube::condition accepted, const evidence& all)
{
    constexpr std::string_view type = condition_type::route_published;
    switch (all.seen.proof.said)
    {
    case gate_proof::verdict::proved:
        return make_condition(
            type,
            "True",
            because::published,
            "Gateway {} publishes the route, and refuses it unpaid",
            all.settings.gateway.gateway.to_string()
        );
    case gate_proof::verdict::not_proved:
        return make_condition(
            type,
            "False",
            because::gate_not_proved,
            "an unpaid request through {} should get the gate's refusal, but: {}; {}see that the gateway "
            "serves this host and path, and reaches the verifier",
            all.settings.gateway.gateway_url,
            all.seen.proof.failure,
            all.seen.proof.other.empty()
                ? std::string()
                : "it may be " + all.seen.proof.other + " that answers, which asks for at least as much; "
        );
    case gate_proof::verdict::elsewhere:
        return make_condition(
            type,
            "False",
            because::foreign_route,
            "{} asks for at least as much as this offer's route, so the gateway may prefer it: an unpaid "
            "request to the offer's path got {}. Nothing of this offer is taken down; delete that rule, or "
            "lead it to another path or host",
            all.seen.proof.other,
            all.seen.proof.failure
        );
    case gate_proof::verdict::unknown:
    case gate_proof::verdict::open:  // an obstacle: see make_draft()
        break;
    }
    if (auto last = last_finding(
            all.offer(), type, {because::published, because::gate_not_proved, because::foreign_route}
        ))
        return *last;
    accepted.status = "Unknown";
    accepted.reason = because::proving_gate.name;
    accepted.message = fmt::format(
        "Gateway {} accepts the route; whether it refuses unpaid requests is being tried",
        all.settings.gateway.gateway.to_string()
    );
    return accepted;
}

proof_target target_of(const std::string& path, const evidence& all)
{
    const kube::object_meta& route = all.seen_of(child_kind::http_route).live->meta;
    const kube::object_meta& gate = all.seen_of(child_kind::middleware).live->meta;
    proof_target out;
    out.url = all.settings.gateway.gateway_url + path;
    out.host = host_of(*all.offer().spec, all.settings);
    out.route = all.offer().meta.key().to_string();
    out.version = fmt::format("{}/{} {}/{}", route.uid, route.generation, gate.uid, gate.generation);
    return out;
}

std::optional<proof_target> proof_of(const evidence& all)
{
    if (all.settings.gateway.gateway_url.empty())
        return std::nullopt;
    const auto path = paid_path(*all.wanted.route);
    return path ? std::optional(target_of(*path, all)) : std::nullopt;
}

// Once all is written that it goes through.
std::optional<proof_target> trial_of(const evidence& all)
{
    const auto& terms = all.wanted.on_trial;
    const auto path = terms ? paid_path(*terms) : std::nullopt;
    const auto is_there = [&](child_kind kind) { return all.seen_of(kind).own() && all.done[kind].stands(); };
    if (!path || !is_there(child_kind::http_route) || !is_there(child_kind::middleware))
        return std::nullopt;
    return target_of(filled_path(*path, all.seen.trial), all);
}

}  // namespace

route_verdict judge_route(const evidence& all)
{
    if (all.wanted.blocked)
        return {blocked_condition(condition_type::route_published, *all.wanted.blocked), trial_of(all)};
    route_verdict out{route_accepted(all), {}};
    if (!out.said.is_true())
        return out;
    out.to_prove = proof_of(all);
    if (out.to_prove)
        out.said = proved(std::move(out.said), all);
    return out;
}

}  // namespace portitor::offer

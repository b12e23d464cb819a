#include "offer/child_plan.hpp"

#include "offer/children.hpp"
#include "offer/drift.hpp"
#include "offer/gate_trial.hpp"
#include "offer/paid_path.hpp"

#include <portitor/api/gate_key.hpp>
#include <portitor/core/saturating_time.hpp>

#include <algorithm>

namespace portitor::offer {

namespace {

// In place of a token that only the controller can make; shown masked, as all are.
constexpr std::string_view token_elsewhere = "unknown";

hold make_hold(child_kind kind, const kube::object_key& key, bool repair)
{
    const kube::resource& of = type_of(kind).resource;
    if (repair)
        return {
            api::because::disputed.name,
            fmt::format(
                "{} {} is changed or deleted again and again by somebody else, and put right once a "
                "second; find who does it with kubectl get {}.{} {} -n {} -o yaml --show-managed-fields, "
                "and stop it",
                of.kind,
                key.name,
                of.plural,
                of.group,
                key.name,
                key.ns
            )};
    return {
        api::because::flapping.name,
        fmt::format(
            "{} {} was made and taken down again and again, so it is made once a second at most; see "
            "in the Events of this offer what keeps changing, and stop it",
            of.kind,
            key.name
        )};
}

note drift_repaired(child_kind kind, const kube::object_key& key, bool exists)
{
    return {
        note::severity::warning,
        "DriftRepaired",
        fmt::format(
            "{} {} was {} by somebody else; it is {}",
            type_of(kind).resource.kind,
            key.name,
            exists ? "changed" : "deleted",
            exists ? "put right" : "made again"
        ),
        kind};
}

// Of an offer that names no credential nothing is to be shown.
std::string gate_token(const observation& seen, const plan_settings& settings)
{
    const api::service_offer& offer = *seen.offer->spec;
    if (offer.upstream.credential.empty())
        return {};
    if (settings.gate_key)
        return settings.gate_key->token_for(offer.meta.ns, offer.meta.name, offer.meta.uid);
    const kube::object* live = seen.children[child_kind::middleware].own();
    const std::string address = live ? kube::string_at(live->spec(), "forwardAuth.address") : std::string();
    const std::string_view token = api::token_in(address);
    return std::string(token.empty() ? token_elsewhere : token);
}

void look_again_after(plan& out, std::chrono::milliseconds wait)
{
    out.next_check = out.next_check ? std::min(*out.next_check, wait) : wait;
}

}  // namespace

void look_again_at(plan& out, clock::time_point when, clock::time_point now)
{
    look_again_after(out, std::chrono::ceil<std::chrono::milliseconds>(saturating_between(now, when)));
}

decision plan_apply(plan& out, const observation& seen, child_kind kind, boost::json::object desired)
{
    const child& known = seen.children[kind];
    const kube::object* live = known.live.get();
    decision result;
    auto wanted = change_to(live, std::move(desired));
    if (!wanted)
        return result;
    apply step{std::move(*wanted), kind};
    const kube::object_key key = type_of(kind).key_for(seen.offer->meta);
    step.repair = live ? was_edited(*live, step.desired) : known.lost;
    // What comes and goes at our own hands is slowed down too, whatever the reason: a loop must not run hot.
    step.again = !live && !step.repair && known.taken_down;
    if ((step.repair || step.again) && known.wait.count() > 0)
    {
        result.held = make_hold(kind, key, step.repair);
        look_again_after(out, known.wait);
        return result;
    }
    if (!step.repair && known.turn.count() > 0)
    {
        result.in_line = out.route_in_line = true;
        look_again_after(out, known.turn);
        return result;
    }
    if (step.repair)
        out.notes.push_back(drift_repaired(kind, key, live != nullptr));
    result.writes = true;
    // An error of the past counts only while there is something to write.
    if (!known.error.empty())
        result.failure = fmt::format("{} cannot be written: {}", type_of(kind).resource.kind, known.error);
    out.applies.push_back(std::move(step));
    return result;
}

void plan_remove(plan& out, child_kind kind, const kube::object& live)
{
    if (!live.meta.deleted)
        out.removes.push_back({kind, live.meta.key(), live.meta.uid});
}

decisions publish_route(
    plan& out,
    const observation& seen,
    const plan_settings& settings,
    const api::payment_route& terms,
    bool on_trial
)
{
    const api::service_offer& offer = *seen.offer->spec;
    decisions done;
    const auto bring = [&](child_kind kind, boost::json::object desired) {
        done[kind] = plan_apply(out, seen, kind, std::move(desired));
    };
    // The terms first: the verifiers take them up while the rest is written.
    bring(child_kind::payment_route, desired_payment_route(offer, terms));
    bring(child_kind::middleware, desired_middleware(offer, gate_token(seen, settings), settings));
    for (const child_kind kind : optional_middlewares)
    {
        if (has_middleware(kind, offer, settings))
            bring(
                kind,
                kind == child_kind::cors ? desired_cors_middleware(offer, settings)
                                         : desired_limit_middleware(kind, offer)
            );
    }
    const auto paid = paid_path(terms);
    bring(
        child_kind::http_route,
        on_trial && paid ? desired_trial_route(offer, settings, filled_path(*paid, seen.trial))
                         : desired_http_route(offer, settings, paid.has_value())
    );
    const decision& route = done[child_kind::http_route];
    for (const child_kind kind : optional_middlewares)
    {
        const kube::object* unwanted = seen.children[kind].own();
        if (unwanted && !has_middleware(kind, offer, settings) && route.stands())
            plan_remove(out, kind, *unwanted);
    }
    return done;
}

std::string take_down_route(plan& out, const observation& seen, bool patient)
{
    for (const child_kind kind : take_down_order)
    {
        const kube::object* live = seen.children[kind].own();
        if (!live || (live->meta.deleted && !patient))
            continue;
        plan_remove(out, kind, *live);
        return fmt::format("{} {}", type_of(kind).resource.kind, live->meta.name);
    }
    return {};
}

}  // namespace portitor::offer

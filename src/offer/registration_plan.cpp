#include "offer/registration_plan.hpp"

#include "offer/chains.hpp"
#include "offer/child_plan.hpp"
#include "offer/children.hpp"
#include "offer/drift.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/registration_request.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/core/saturating_time.hpp>

#include <boost/json/parse.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

constexpr child_kind kind = child_kind::registration;

// How long after the deletion of a registration that of its offer is waited for.
constexpr std::chrono::seconds offer_follows_within(2);

// How long an offer that is not sold may be so by chance.
constexpr std::chrono::minutes passes_within(5);

void add_release(plan& out, const kube::object& live)
{
    out.releases.push_back({kind, live.meta.key(), live.meta.uid, live.meta.resource_version});
}

bool is_retired(const api::registration_state& state)
{
    return state.phase == api::registration_phase::retired ||
           state.phase == api::registration_phase::off_chain_only || !state.touched_chain();
}

bool is_asked_to_retire(const kube::object& live)
{
    return kube::string_at(live.spec(), "desiredState") == to_string(api::desired_state::retired);
}

void ask_to_retire(plan& out, const kube::object_identity& offer, const kube::object& live)
{
    // A request that has lost its finalizer while it is being deleted cannot get it back, and is as good as
    // gone.
    if (live.meta.deleted && !live.meta.has_finalizer(api::finalizer))
        return;
    json::object desired = retired_registration(offer, live);
    if (differs(live, desired))
        out.applies.push_back({{std::move(desired), {}, live.meta.uid}, kind});
}

note left_on_chain(const api::registration_state& state, const kube::object& live)
{
    return {
        note::severity::warning,
        registration_left_on_chain,
        fmt::format(
            "the registration on {} was not retired in time and is let go: agent \"{}\", transaction "
            "\"{}\", last error: {}; it stays registered until its owner points its agent URI elsewhere",
            kube::string_at(live.spec(), "chain"),
            state.agent_id,
            state.tx_hash,
            state.error_message.empty() ? "none" : state.error_message
        )};
}

// Deleted by hand, or after it was retired. A new one finds what is on chain by its URI; but what is under
// way should end first, because its record goes with this object.
void let_go(
    plan& out,
    const kube::object_identity& offer,
    const kube::object& live,
    bool wanted,
    std::chrono::seconds patience,
    clock::time_point now
)
{
    const auto state = api::read_registration_state(live);
    const bool under_way = state.phase == api::registration_phase::submitted ||
                           (state.in_flight && state.phase == api::registration_phase::pending);
    // Where a namespace goes, the news of the offer's own deletion may be a moment behind. With it comes the
    // retirement, or the word that there was none.
    const auto settled = saturating_add(*live.meta.deleted, offer_follows_within);
    const auto deadline = saturating_add(*live.meta.deleted, patience);
    const bool is_done = !under_way && (wanted || is_retired(state));
    if (wanted && state.touched_chain() && now < settled)
        look_again_at(out, settled, now);
    else if (live.meta.has_finalizer(api::finalizer) && (is_done || now >= deadline))
    {
        if (!is_done && !wanted)
            out.notes.push_back(left_on_chain(state, live));
        add_release(out, live);
    }
    else
    {
        if (!wanted)
            ask_to_retire(out, offer, live);
        look_again_at(out, deadline, now);
    }
}

void retire(plan& out, const kube::object_identity& offer, const kube::object& live)
{
    if (!is_asked_to_retire(live))
        ask_to_retire(out, offer, live);
    else if (is_retired(api::read_registration_state(live)))
        plan_remove(out, kind, live);
}

// What the document on chain says now; nothing where there is none.
std::optional<bool> told_active(const kube::object* live)
{
    if (!live)
        return std::nullopt;
    boost::system::error_code failed;
    const json::value document = json::parse(kube::string_at(live->spec(), "document"), failed);
    const json::value* active = document.is_object() ? document.get_object().if_contains("active") : nullptr;
    return active && active->is_bool() ? std::optional(active->get_bool()) : std::nullopt;
}

// What the document on chain is to say. A change of it costs a transaction, so what may pass by itself is
// waited for: a failed probe, a verifier that starts again.
bool is_active(plan& out, const observation& seen, const draft& wanted, bool sold, clock::time_point now)
{
    if (!wanted.route || wanted.route->suspended || wanted.ending.stage != drain_stage::none)
        return false;
    if (sold || told_active(seen.children[kind].own()) == false)
        return sold;
    const kube::condition* ready =
        kube::find_condition(seen.offer->status.conditions, api::condition_type::ready);
    const auto since = ready && !ready->is_true() ? from_rfc3339(ready->last_transition_time) : now;
    const auto settled = saturating_add(since, passes_within);
    if (now >= settled)
        return false;
    look_again_at(out, settled, now);
    return true;
}

}  // namespace

std::optional<json::object>
wanted_registration(const api::service_offer& offer, const plan_settings& settings, bool active)
{
    const config::chain* chain = find_chain(offer.registration.chain, settings);
    const api::registration& wanted = offer.registration;
    if (!wanted.enabled || !wanted.unreadable.empty() || !chain || settings.gateway.public_url.empty())
        return std::nullopt;
    return desired_registration(offer, *chain, settings, active);
}

void plan_registration(
    plan& out,
    const observation& seen,
    const plan_settings& settings,
    const draft& wanted,
    bool sold,
    clock::time_point now
)
{
    const child& known = seen.children[kind];
    const auto& offer = seen.offer->spec;
    if (!offer || (known.live && !known.ours))
        return;
    const kube::object* live = known.own();
    const config::chain* chain = find_chain(offer->registration.chain, settings);
    // What is read by another's schema is less than what was written.
    const bool elsewhere = live && seen.served.request_lacks.empty() && chain &&
                           offer->registration.unreadable.empty() &&
                           is_registered_elsewhere(*live, *chain, settings);
    const bool stays = offer->registration.enabled && !elsewhere;
    if (live && live->meta.deleted)
        return let_go(out, offer->meta, *live, stays, settings.deletion_deadline, now);
    if (live && !stays)
        return retire(out, offer->meta, *live);
    if ((!live && !sold) || !seen.served.request_lacks.empty())
        return;
    auto desired = wanted_registration(*offer, settings, is_active(out, seen, wanted, sold, now));
    if (desired)
        plan_apply(out, seen, kind, std::move(*desired));
}

std::string
end_registration(plan& out, const observation& seen, const plan_settings& settings, clock::time_point now)
{
    const kube::object* live = seen.children[kind].own();
    if (!live)
        return {};
    const api::registration_state state = api::read_registration_state(*live);
    const bool asked = is_asked_to_retire(*live);
    if (!asked)
        ask_to_retire(out, seen.offer->meta, *live);
    plan_remove(out, kind, *live);
    const std::string what = "the registration";
    if (!live->meta.deleted)
        return what;
    // Counted from when retirement could begin, so that an offer deleted while Portitor was down has its
    // chance too.
    const auto began = seen.offer->meta.deleted ? std::max(*seen.offer->meta.deleted, *live->meta.deleted)
                                                : *live->meta.deleted;
    const auto deadline = saturating_add(began, settings.deletion_deadline);
    const bool late = now >= deadline;
    if (!live->meta.has_finalizer(api::finalizer))
        return late ? std::string() : what;
    if ((asked && is_retired(state)) || late)
    {
        if (!is_retired(state))
            out.notes.push_back(left_on_chain(state, *live));
        add_release(out, *live);
    }
    else
        look_again_at(out, deadline, now);
    return what;
}

plan make_leftover_plan(
    const kube::object& request,
    const kube::object_identity& former,
    clock::time_point first_seen,
    const plan_settings& settings,
    clock::time_point now
)
{
    plan out;
    const auto state = api::read_registration_state(request);
    const bool asked = is_asked_to_retire(request);
    if (state.touched_chain() && !asked)
        ask_to_retire(out, former, request);
    plan_remove(out, kind, request);
    if (!request.meta.deleted)
        return out;
    // Not by its deletion alone: nobody could retire it while Portitor was down.
    const auto deadline =
        saturating_add(std::max(*request.meta.deleted, first_seen), settings.deletion_deadline);
    const bool done = !state.touched_chain() || (asked && is_retired(state));
    if (!done && now < deadline)
    {
        look_again_at(out, deadline, now);
        return out;
    }
    if (!done)
        out.notes.push_back(left_on_chain(state, request));
    out.applies.clear();
    add_release(out, request);
    return out;
}

}  // namespace portitor::offer

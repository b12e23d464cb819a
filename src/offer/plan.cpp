#include "offer/plan.hpp"

#include "offer/children.hpp"
#include "offer/conditions.hpp"

#include <portitor/api/names.hpp>
#include <portitor/core/saturating_time.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

// How long after the deletion of a registration that of its offer is waited for.
constexpr std::chrono::seconds offer_follows_within(2);

std::chrono::milliseconds until(clock::time_point then, clock::time_point now)
{
    return std::chrono::ceil<std::chrono::milliseconds>(saturating_between(now, then));
}

void look_again_after(plan& out, std::chrono::milliseconds wait)
{
    out.next_check = out.next_check ? std::min(*out.next_check, wait) : wait;
}

void add_apply(
    plan& out,
    const observation& seen,
    const kube::resource& kind,
    const kube::object_ptr& live,
    json::object desired
)
{
    auto step = needed_apply(kind, live, std::move(desired));
    if (!step)
        return;
    step->repair = live ? was_edited(*live, step->desired) : seen.lost.contains(kind.plural);
    // What comes and goes at our own hands is slowed down too, whatever the reason: a loop must not run hot.
    step->again = !live && !step->repair && seen.taken_down.contains(kind.plural);
    if (const auto wait = seen.repair_waits.find(kind.plural);
        (step->repair || step->again) && wait != seen.repair_waits.end())
    {
        (step->repair ? out.disputed : out.flapping).emplace_back(kind.plural);
        look_again_after(out, wait->second);
        return;
    }
    if (step->repair)
        out.notes.push_back(
            {note::severity::warning,
             "DriftRepaired",
             fmt::format(
                 "{} {} was {} by somebody else; it is {}",
                 kind.kind,
                 kube::string_at(step->desired, "metadata.name"),
                 live ? "changed" : "deleted",
                 live ? "put right" : "made again"
             )}
        );
    out.applies.push_back(std::move(*step));
}

void add_remove(plan& out, const kube::resource& kind, const kube::object& live)
{
    if (!live.meta.deleted)
        out.removes.push_back({kind, live.meta.key(), live.meta.uid});
}

// One step of taking an offer off the gateway, and what is still there; empty when all is gone. The HTTPRoute
// goes first and the terms last, so that at no time a request gets past the gate. `patient` is false past the
// deadline: then a child that somebody else's finalizer holds back is not waited for.
std::string take_down_route(plan& out, const kube::object& offer, const observation& seen, bool patient)
{
    const std::pair<const kube::resource&, const kube::object_ptr&> order[] = {
        {api::http_route_resource, seen.http_route},
        {api::middleware_resource, seen.middleware},
        {api::payment_route_resource, seen.payment_route},
    };
    for (const auto& [kind, live] : order)
    {
        if (!live || !is_ours(*live, offer) || (live->meta.deleted && !patient))
            continue;
        add_remove(out, kind, *live);
        return fmt::format("{} {}", kind.kind, live->meta.name);
    }
    return {};
}

void publish_route(plan& out, const observation& seen, const plan_settings& settings, const draft& wanted)
{
    const api::service_offer& offer = *wanted.offer;
    // The terms first: the verifiers take them up while the rest is written.
    add_apply(
        out,
        seen,
        api::payment_route_resource,
        seen.payment_route,
        desired_payment_route(offer, *wanted.route)
    );
    add_apply(out, seen, api::middleware_resource, seen.middleware, desired_middleware(offer, settings));
    add_apply(out, seen, api::http_route_resource, seen.http_route, desired_http_route(offer, settings));
}

bool writes(const plan& out, const kube::resource& kind)
{
    return std::any_of(out.applies.begin(), out.applies.end(), [&](const apply& each) {
        return each.kind.plural == kind.plural;
    });
}

// An error of the past counts only while there is something to write.
std::string failure(const plan& out, const observation& seen, const kube::resource& kind)
{
    const auto at = seen.apply_errors.find(kind.plural);
    if (at == seen.apply_errors.end() || !writes(out, kind))
        return {};
    return fmt::format("{} cannot be written: {}", kind.kind, at->second);
}

bool contains(const std::vector<std::string>& plurals, const kube::resource& kind)
{
    return std::find(plurals.begin(), plurals.end(), kind.plural) != plurals.end();
}

// Why a child is not written although it is not as it should be.
std::optional<hold> hold_of(const plan& out, const kube::resource& kind, const kube::object_key& child)
{
    if (contains(out.disputed, kind))
        return hold{
            "Disputed",
            fmt::format(
                "{} {} is changed or deleted again and again by somebody else, and put right once a second; "
                "find who does it with kubectl get {}.{} {} -n {} -o yaml --show-managed-fields, and stop it",
                kind.kind,
                child.name,
                kind.plural,
                kind.group,
                child.name,
                child.ns
            )};
    if (contains(out.flapping, kind))
        return hold{
            "Flapping",
            fmt::format(
                "{} {} was made and taken down again and again, so it is made once a second at most; see in "
                "the "
                "Events of this offer what keeps changing, and stop it",
                kind.kind,
                child.name
            )};
    return std::nullopt;
}

void add_release(plan& out, const kube::object& live)
{
    out.releases.push_back(
        {api::registration_request_resource, live.meta.key(), live.meta.uid, live.meta.resource_version}
    );
}

bool is_retired(const api::registration_state& state)
{
    return state.phase == api::registration_phase::retired ||
           state.phase == api::registration_phase::off_chain_only || !state.touched_chain();
}

void ask_to_retire(plan& out, const kube::object& offer, const kube::object& live)
{
    // A request that has lost its finalizer while it is being deleted cannot get it back, and is as good as
    // gone.
    if (live.meta.deleted && !live.meta.has_finalizer(api::finalizer))
        return;
    json::object desired = retired_registration(offer.meta, live);
    if (needs_apply(std::make_shared<const kube::object>(live), desired))
        out.applies.push_back({api::registration_request_resource, std::move(desired), {}, live.meta.uid});
}

note left_on_chain(const api::registration_state& state, const kube::object& live)
{
    return {
        note::severity::warning,
        registration_left_on_chain,
        fmt::format(
            "the registration on {} was not retired in time and is let go: agent \"{}\", transaction \"{}\", "
            "last error: "
            "{}; it stays registered until its owner points its agent URI elsewhere",
            kube::string_at(live.spec(), "chain"),
            state.agent_id,
            state.tx_hash,
            state.error_message.empty() ? "none" : state.error_message
        )};
}

// One step of ending a registration because the offer goes. The request is deleted at once: our finalizer
// keeps it, and any record that the registrar starts to write on an older version of it then fails. Returns
// what is still there.
std::string end_registration(
    plan& out,
    const kube::object& offer,
    const observation& seen,
    const plan_settings& settings,
    clock::time_point now
)
{
    const kube::object_ptr& live = seen.registration;
    if (!live || !is_ours(*live, offer))
        return {};
    const api::registration_state state = api::read_registration_state(*live);
    const bool asked =
        kube::string_at(live->spec(), "desiredState") == to_string(api::desired_state::retired);
    if (!asked)
        ask_to_retire(out, offer, *live);
    add_remove(out, api::registration_request_resource, *live);
    const std::string what = "the registration";
    if (!live->meta.deleted)
        return what;
    // Counted from when retirement could begin, so that an offer deleted while Portitor was down has its
    // chance too.
    const auto deadline =
        saturating_add(std::max(*offer.meta.deleted, *live->meta.deleted), settings.deletion_deadline);
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
        out.next_check = until(deadline, now);
    return what;
}

plan make_deletion_plan(
    const kube::object& offer, const observation& seen, const plan_settings& settings, clock::time_point now
)
{
    plan out;
    if (!offer.meta.has_finalizer(api::finalizer))
        return out;
    const auto deadline = saturating_add(*offer.meta.deleted, settings.deletion_deadline);
    std::vector<std::string> left{
        take_down_route(out, offer, seen, now < deadline), end_registration(out, offer, seen, settings, now)};
    left.erase(std::remove(left.begin(), left.end(), ""), left.end());
    out.remove_finalizer = left.empty();
    if (left.empty())
        return out;
    const auto conditions = judge_deleting(offer, fmt::format("{}", fmt::join(left, ", ")));
    out.status = make_status(offer, conditions, "Deleting", "", seen.registration, now);
    if (!out.next_check && now < deadline)
        out.next_check = until(deadline, now);
    return out;
}

// The registration of an offer that stays. It is made once the offer is sold, and then kept whatever becomes
// of the upstream: the chain is no place for what changes by the minute.
void plan_registration(plan& out, const evidence& all, bool sold, clock::time_point now)
{
    const kube::object_ptr& live = all.seen.registration;
    if (!all.wanted.offer || (live && !is_ours(*live, all.offer)))
        return;
    const api::registration& wanted = all.wanted.offer->registration;
    if (live && live->meta.deleted)
    {
        // Deleted by hand, or after it was retired. A new one finds what is on chain by its URI; but what is
        // under way must end first, because its record goes with this object.
        const auto state = api::read_registration_state(*live);
        const bool under_way = state.phase == api::registration_phase::submitted ||
                               (state.in_flight && state.phase == api::registration_phase::pending);
        // Where a namespace goes, the news of the offer's own deletion may be a moment behind. With it comes
        // the retirement, or the word that there was none.
        const auto settled = saturating_add(*live->meta.deleted, offer_follows_within);
        if (wanted.enabled && state.touched_chain() && now < settled)
        {
            look_again_after(out, until(settled, now));
            return;
        }
        if (live->meta.has_finalizer(api::finalizer) && !under_way && (wanted.enabled || is_retired(state)))
            add_release(out, *live);
        else if (!wanted.enabled)
            ask_to_retire(out, all.offer, *live);
        return;
    }
    if (!wanted.enabled)
    {
        if (!live)
            return;
        const bool asked =
            kube::string_at(live->spec(), "desiredState") == to_string(api::desired_state::retired);
        if (!asked)
            ask_to_retire(out, all.offer, *live);
        else if (is_retired(api::read_registration_state(*live)))
            add_remove(out, api::registration_request_resource, *live);
        return;
    }
    const registration_chain* chain = find_chain(wanted.chain, all.settings);
    if ((!live && !sold) || !chain || all.settings.public_url.empty())
        return;
    add_apply(
        out,
        all.seen,
        api::registration_request_resource,
        live,
        desired_registration(*all.wanted.offer, *chain, all.settings)
    );
}

questions what_to_ask(const evidence& all)
{
    questions out;
    if (!all.wanted.offer)
        return out;
    const api::service_offer& offer = *all.wanted.offer;
    // A namespace of others is none of our business.
    if (!may_use_upstream(offer, all.seen))
        return out;
    out.upstream = upstream_url(offer);
    out.model = model_of(offer);
    out.gate = wanted_proof(all);
    // An open gate that another route explains is forgotten with that route.
    const bool explained = all.wanted.blocked && all.wanted.blocked->reason == unpaid_route;
    out.keep_gate_answer =
        all.seen.proof.said == gate_proof::verdict::open && !tells_open_gate(all.offer) && !explained;
    return out;
}

}  // namespace

bool plan::empty() const
{
    return !add_finalizer && applies.empty() && removes.empty() && releases.empty() && !remove_finalizer &&
           !status && notes.empty();
}

std::vector<std::string> describe(const plan& todo)
{
    std::vector<std::string> out;
    const auto add = [&](const char* verb, const kube::resource& kind, const kube::object_key& key) {
        out.push_back(fmt::format("{} {} {}", verb, kind.kind, key.to_string()));
    };
    if (todo.add_finalizer)
        out.emplace_back("add the finalizer");
    for (const apply& each : todo.applies)
    {
        const auto& of = each.desired;
        add("apply",
            each.kind,
            {kube::string_at(of, "metadata.namespace"), kube::string_at(of, "metadata.name")});
    }
    for (const remove& each : todo.removes)
        add("delete", each.kind, each.key);
    for (const release_finalizer& each : todo.releases)
        add("release", each.kind, each.key);
    if (todo.status)
        out.push_back(fmt::format("write the status: {}", kube::string_at(*todo.status, "phase")));
    if (todo.remove_finalizer)
        out.emplace_back("remove the finalizer");
    return out;
}

plan make_plan(
    const kube::object& offer, const observation& seen, const plan_settings& settings, clock::time_point now
)
{
    if (offer.meta.deleted)
        return make_deletion_plan(offer, seen, settings, now);
    plan out;
    out.add_finalizer = !offer.meta.has_finalizer(api::finalizer);
    const draft wanted = make_draft(offer, seen, settings, now);
    out.next_check = wanted.ending.next_step;
    // An edit that cannot be sold takes the route down rather than leave it at the old terms: what is sold is
    // always what is written, and the seller sees the mistake at once.
    if (wanted.blocked)
        take_down_route(out, offer, seen, true);
    else
        publish_route(out, seen, settings, wanted);

    evidence all{offer, seen, settings, wanted, {}, {}, {}, {}, {}, {}};
    all.gate_changes = writes(out, api::payment_route_resource);
    all.route_changes = writes(out, api::http_route_resource);
    all.gate_error =
        failure(out, seen, api::middleware_resource) + failure(out, seen, api::payment_route_resource);
    all.route_error = failure(out, seen, api::http_route_resource);
    const std::string& name = offer.meta.name;
    all.gate_hold = hold_of(out, api::middleware_resource, {offer.meta.ns, api::middleware_name(name)});
    if (!all.gate_hold)
        all.gate_hold =
            hold_of(out, api::payment_route_resource, {offer.meta.ns, api::payment_route_name(name)});
    all.route_hold = hold_of(out, api::http_route_resource, {offer.meta.ns, api::http_route_name(name)});
    std::vector<kube::condition> conditions = judge(all);
    plan_registration(out, all, three_hold(conditions), now);
    add_registered(conditions, all);

    for (note& each : transitions(offer, conditions))
        out.notes.push_back(std::move(each));
    out.ask = what_to_ask(all);
    const std::string endpoint = wanted.route ? endpoint_of(*wanted.offer, settings) : "";
    const auto& registration =
        seen.registration && is_ours(*seen.registration, offer) ? seen.registration : nullptr;
    out.status = make_status(offer, conditions, phase_of(conditions, all), endpoint, registration, now);
    return out;
}

plan make_fault_plan(
    const kube::object& offer, const observation& seen, const std::string& what, clock::time_point now
)
{
    plan out;
    if (offer.meta.deleted)
        return out;
    const auto live = kube::parse_conditions(offer.status());
    // Ready is written here too, so it does not tell which spec was judged last.
    const kube::condition* judged = kube::find_condition(live, "RoutePublished");
    if (!judged || judged->observed_generation != offer.meta.generation)
        take_down_route(out, offer, seen, true);
    out.status = make_fault_status(offer, what, now);
    return out;
}

}  // namespace portitor::offer

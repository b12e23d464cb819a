#include "offer/plan.hpp"

#include "offer/child_plan.hpp"
#include "offer/conditions.hpp"
#include "offer/naming.hpp"
#include "offer/registration_condition.hpp"
#include "offer/registration_plan.hpp"
#include "offer/route_condition.hpp"
#include "offer/status.hpp"

#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/core/saturating_time.hpp>

#include <algorithm>

namespace portitor::offer {

namespace {

// Every condition but Registered and Ready, which follow from these.
std::vector<kube::condition> judge_sale(const evidence& all, const route_verdict& route)
{
    std::vector<kube::condition> out;
    const auto& offer = all.offer().spec;
    if (offer && offer->type == api::offer_type::inference)
        out.push_back(judge_model(all));
    out.push_back(judge_upstream(all));
    out.push_back(judge_gate(all));
    out.push_back(route.said);
    if (all.wanted.ending.stage != drain_stage::none)
        out.push_back(judge_ending(all.wanted.ending));
    if (!all.offer().unsupported.empty())
        out.push_back(judge_supported(all.offer().unsupported));
    return out;
}

questions what_to_ask(const evidence& all, const route_verdict& route)
{
    questions out;
    const auto& offer = all.offer().spec;
    if (!offer || !is_upstream_asked(*offer, all.seen))
        return out;
    out.upstream = upstream_url(*offer);
    out.model = model_of(*offer);
    out.gate = route.to_prove;
    if (!all.wanted.facilitator_url.empty())
        out.facilitator = all.wanted.facilitator_url;
    // An open gate that another route explains is forgotten with that route.
    const bool explained =
        all.wanted.blocked && all.wanted.blocked->reason == api::because::unpaid_route.name;
    out.keep_gate_answer =
        all.seen.proof.said == gate_proof::verdict::open && !told_open_gate(all.offer()) && !explained;
    return out;
}

bool was_true_before(const std::vector<std::string>& better, const observation& seen)
{
    return std::any_of(better.begin(), better.end(), [&](const std::string& type) {
        return seen.been_true.contains(type);
    });
}

// Who fails in ever new ways, or by turns, is not told of each of them. That an offer is not Ready any more
// never waits.
void write_status(
    plan& into, std::optional<new_status> status, const observation& seen, clock::time_point now
)
{
    if (!status)
        return;
    const bool recovers = was_true_before(status->better, seen);
    std::chrono::milliseconds wait{0};
    if (status->only_words)
        wait = seen.words_wait;
    else if (recovers && !status->ends_ready)
        wait = seen.recovery_wait;
    if (wait > std::chrono::milliseconds(0))
    {
        look_again_at(into, now + wait, now);
        return;
    }
    into.only_words = status->only_words;
    into.better = std::move(status->better);
    into.recovers = recovers;
    into.status = std::move(status->whole);
}

plan make_deletion_plan(const observation& seen, const plan_settings& settings, clock::time_point now)
{
    plan out;
    const offer_record& offer = *seen.offer;
    if (!offer.meta.has_finalizer(api::finalizer))
        return out;
    const auto deadline = saturating_add(*offer.meta.deleted, settings.deletion_deadline);
    std::vector<std::string> left{
        take_down_route(out, seen, now < deadline), end_registration(out, seen, settings, now)};
    std::erase(left, "");
    out.remove_finalizer = left.empty();
    if (left.empty())
        return out;
    const auto conditions = judge_deleting(offer, fmt::format("{}", fmt::join(left, ", ")));
    const kube::object* registration = seen.children[child_kind::registration].own();
    write_status(
        out, make_status(offer, conditions, phase::deleting, "", registration, seen.served, now), seen, now
    );
    if (!out.next_check && now < deadline)
        look_again_at(out, deadline, now);
    return out;
}

// An offer that was Portitor's and is not any more: taken down in the same order, and let go. What the seller
// is to read is written last, when nobody looks after it any more.
plan make_release_plan(const observation& seen, const plan_settings& settings, clock::time_point now)
{
    plan out;
    const offer_record& offer = *seen.offer;
    if (!offer.meta.has_finalizer(api::finalizer))
        return out;
    std::vector<std::string> left{
        take_down_route(out, seen, true), end_registration(out, seen, settings, now)};
    std::erase(left, "");
    out.remove_finalizer = left.empty();
    const auto conditions = judge_not_selected(offer, fmt::format("{}", fmt::join(left, ", ")));
    for (note& each : transitions(offer, conditions))
        out.notes.push_back(std::move(each));
    const kube::object* registration = seen.children[child_kind::registration].own();
    auto status = make_status(offer, conditions, phase::blocked, "", registration, seen.served, now);
    // The last words do not wait: nobody would come back to write them.
    if (status && out.remove_finalizer)
        out.status = std::move(status->whole);
    else
        write_status(out, std::move(status), seen, now);
    return out;
}

}  // namespace

plan make_plan(const observation& seen, const plan_settings& settings, clock::time_point now)
{
    const offer_record& offer = *seen.offer;
    // No child, no word and no finalizer of ours beside its own.
    if (api::is_held_by_predecessor(offer.meta))
        return {};
    if (offer.meta.deleted)
        return make_deletion_plan(seen, settings, now);
    if (!offer.selected)
        return make_release_plan(seen, settings, now);
    const draft wanted = make_draft(seen, settings, now);
    plan out;
    out.add_finalizer = !offer.identity_only && !offer.meta.has_finalizer(api::finalizer);
    out.blocked = wanted.blocked;
    out.next_check = wanted.ending.next_step;
    if (wanted.blocked && seen.next_trial)
        out.next_check = std::min(out.next_check.value_or(*seen.next_trial), *seen.next_trial);

    // An edit that cannot be sold takes the route down rather than leave it at the old terms: what is sold is
    // always what is written, and the seller sees the mistake at once.
    decisions done;
    if (wanted.route)
        done = publish_route(out, seen, settings, *wanted.route, false);
    else if (wanted.on_trial)
        done = publish_route(out, seen, settings, *wanted.on_trial, true);
    else
        take_down_route(out, seen, true);

    const evidence all{seen, settings, wanted, done};
    const route_verdict route = judge_route(all);
    std::vector<kube::condition> conditions = judge_sale(all, route);
    plan_registration(out, seen, settings, wanted, holds_for_ready(conditions), now);
    conditions.push_back(judge_registered(conditions, all));
    conditions.push_back(judge_ready(conditions, all));
    for (kube::condition& each : conditions)
        each.observed_generation = offer.meta.generation;

    out.ask = what_to_ask(all, route);
    const std::string endpoint = wanted.route ? endpoint_of(*offer.spec, settings) : "";
    const kube::object* registration = seen.children[child_kind::registration].own();
    const std::string_view phase = phase_of(conditions, wanted);
    write_status(
        out, make_status(offer, conditions, phase, endpoint, registration, seen.served, now), seen, now
    );
    // What is not written yet is not told either.
    if (out.status)
        for (note& each : transitions(offer, conditions))
            out.notes.push_back(std::move(each));
    return out;
}

plan make_fault_plan(const observation& seen, const std::string& what, clock::time_point now)
{
    plan out;
    const offer_record& offer = *seen.offer;
    if (offer.meta.deleted || !offer.is_ours() || api::is_held_by_predecessor(offer.meta))
        return out;
    // Ready is written here too, so it does not tell which spec was judged last.
    if (!offer.status.find_present(api::condition_type::route_published, offer.meta.generation))
        take_down_route(out, seen, true);
    out.status = make_fault_status(offer, what, seen.served, now);
    return out;
}

}  // namespace portitor::offer

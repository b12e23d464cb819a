#include "cli/once/judge.hpp"

#include "cli/once/child_report.hpp"
#include "cli/once/terms_report.hpp"
#include "cli/output/masked.hpp"
#include "cli/output/text.hpp"
#include "offer/child_plan.hpp"
#include "offer/drain.hpp"
#include "offer/gate_trial.hpp"
#include "offer/registration_plan.hpp"

#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

#include <algorithm>

namespace portitor::cli::once {

namespace {

using offer::child_kind;

std::vector<condition_report> conditions_of(const offer::plan& todo, const offer::offer_record& offer)
{
    const std::vector<kube::condition>& live = offer.status.conditions;
    std::vector<kube::condition> wanted = todo.status ? kube::parse_conditions(*todo.status) : live;
    std::vector<condition_report> out;
    for (kube::condition& each : wanted)
    {
        const kube::condition* held = kube::find_condition(live, each.type);
        const std::string status = held ? held->status : "";
        const std::string reason = held ? held->reason : "";
        out.push_back({std::move(each), status, reason});
    }
    return out;
}

std::string words_for(child_kind kind, const kube::object_key& key)
{
    return fmt::format("{} {}", offer::type_of(kind).resource.kind, key.to_string());
}

void add_questions(
    std::vector<std::string>& out, const offer::plan& todo, const offer::plan_settings& settings
)
{
    if (todo.ask.upstream)
        out.push_back(fmt::format(
            "the upstream is asked how it is, now and every {}: GET {}",
            age_in_words(settings.probe_period),
            *todo.ask.upstream
        ));
    if (todo.ask.model)
        out.push_back(fmt::format(
            "the runtime ({}) at {} is asked whether it has the model {}",
            todo.ask.model->runtime,
            todo.ask.model->base_url,
            todo.ask.model->model
        ));
    if (todo.ask.facilitator)
        out.push_back(fmt::format(
            "the facilitator is asked which networks it serves: GET {}/supported",
            masked_url(*todo.ask.facilitator)
        ));
    if (todo.ask.gate)
        out.push_back(fmt::format(
            "the gate is tried once the gateway has the route: an unpaid request to {}{} has to be refused",
            offer::filled_path(todo.ask.gate->url, "<random>"),
            todo.ask.gate->host.empty() ? "" : ", for host " + todo.ask.gate->host
        ));
}

// One step each time.
void add_take_down(std::vector<std::string>& out, const offer::plan& todo, const offer::observation& seen)
{
    const bool ends = todo.blocked || seen.offer->meta.deleted;
    if (!ends || todo.removes.empty())
        return;
    for (const child_kind kind : offer::take_down_order)
    {
        const kube::object* live = seen.children[kind].own();
        const bool goes_now = std::any_of(todo.removes.begin(), todo.removes.end(), [&](const auto& each) {
            return each.kind == kind;
        });
        if (live && !goes_now)
            out.push_back(fmt::format("then {} is deleted", words_for(kind, live->meta.key())));
    }
}

// A registration comes once the offer is sold; here one sees it at once.
void add_registration(
    std::vector<child_report>& out,
    const offer::plan& todo,
    const offer::observation& seen,
    const offer::plan_settings& settings
)
{
    constexpr child_kind kind = child_kind::registration;
    const auto& spec = seen.offer->spec;
    const bool is_known =
        std::any_of(out.begin(), out.end(), [](const child_report& each) { return each.kind == kind; });
    const bool is_left_alone = seen.offer->meta.deleted || api::is_held_by_predecessor(seen.offer->meta) ||
                               !seen.served.request_lacks.empty();
    if (!spec || todo.blocked || is_left_alone || is_known || seen.children[kind].live)
        return;
    auto wanted = offer::wanted_registration(*spec, settings, true);
    if (!wanted)
        return;
    child_report later;
    later.what = step::later;
    later.kind = kind;
    later.key = offer::type_of(kind).key_for(seen.offer->meta);
    later.wanted = shown_fields(*wanted);
    out.push_back(std::move(later));
}

void add_ending(std::vector<std::string>& out, const offer::offer_record& offer, clock::time_point now)
{
    if (!offer.spec || !offer.spec->drain_at)
        return;
    const offer::ending ending = offer::ending_of(*offer.spec, now);
    if (ending.stage == offer::drain_stage::none)
        out.push_back("it drains from " + to_rfc3339(*offer.spec->drain_at));
    if (ending.stage != offer::drain_stage::drained)
        out.push_back(fmt::format("it is sold until {}, and taken down then", to_rfc3339(ending.sold_until)));
}

std::vector<std::string> next_of(
    const offer::plan& todo,
    const offer::observation& seen,
    const offer::plan_settings& settings,
    clock::time_point now
)
{
    std::vector<std::string> out;
    add_questions(out, todo, settings);
    add_take_down(out, todo, seen);
    add_ending(out, *seen.offer, now);
    if (todo.next_check)
        out.push_back(fmt::format(
            "the controller looks again in {}",
            age_in_words(std::chrono::ceil<std::chrono::seconds>(*todo.next_check))
        ));
    return out;
}

}  // namespace

offer_report judge(
    const offer::plan& todo,
    const offer::observation& seen,
    const offer::plan_settings& settings,
    clock::time_point now
)
{
    const offer::offer_record& offer = *seen.offer;
    offer_report out;
    out.key = offer.meta.key();
    if (offer.spec)
        out.terms = terms_of(*offer.spec, settings);
    out.blocked = todo.blocked;
    if (api::is_held_by_predecessor(offer.meta))
        out.passed_over = fmt::format(
            "the predecessor's controller holds it ({}), so it is left alone: no child, no status and no "
            "finalizer. It is taken over once that finalizer goes",
            api::predecessors_finalizer
        );
    out.children = children_of(todo, seen);
    add_registration(out.children, todo, seen, settings);
    out.adds_finalizer = todo.add_finalizer;
    out.removes_finalizer = todo.remove_finalizer;
    out.writes_status = todo.status.has_value();
    out.live_phase = offer.status.phase;
    out.phase = todo.status ? kube::string_at(*todo.status, "phase") : offer.status.phase;
    out.conditions = conditions_of(todo, offer);
    out.events = todo.notes;
    out.next = next_of(todo, seen, settings, now);
    return out;
}

}  // namespace portitor::cli::once

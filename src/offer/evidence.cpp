#include "offer/evidence.hpp"

#include "offer/children.hpp"

#include <algorithm>

namespace portitor::offer {

kube::condition blocked_condition(std::string_view type, const obstacle& why)
{
    if (why.condition == type)
        return make_condition(type, "False", {why.reason}, "{}", why.message);
    return make_condition(
        type,
        "False",
        api::because::withheld,
        "the offer is not sold: see condition {} ({})",
        why.condition,
        why.reason
    );
}

std::optional<kube::condition> kept_from(std::string_view type, const evidence& all)
{
    std::string failures;
    const hold* held = nullptr;
    for (const child_type& each : child_types)
    {
        const decision& of = all.done[each.kind];
        if (each.condition != type)
            continue;
        if (!of.failure.empty())
            failures += (failures.empty() ? "" : "; ") + of.failure;
        if (of.held && !held)
            held = &*of.held;
    }
    if (!failures.empty())
        return make_condition(
            type,
            "False",
            api::because::apply_failed,
            "{}; see that its CRD is installed in a version that has these fields, and that the "
            "controller may write it",
            failures
        );
    if (held)
        return make_condition(type, "False", {held->reason}, "{}", held->words);
    return std::nullopt;
}

std::optional<kube::condition> middleware_missing(std::string_view type, const evidence& all)
{
    for (const child_kind kind :
         {child_kind::middleware, child_kind::cors, child_kind::in_flight, child_kind::rate})
    {
        const auto& offer = all.offer().spec;
        const bool is_wanted =
            offer ? has_middleware(kind, *offer, all.settings) : kind == child_kind::middleware;
        if (!is_wanted || all.seen_of(kind).live)
            continue;
        return make_condition(
            type,
            "False",
            api::because::middleware_missing,
            "Middleware {} is gone, so the gateway does not serve the route; it is being made again",
            type_of(kind).name_of(all.offer().meta.name)
        );
    }
    return std::nullopt;
}

std::optional<kube::condition>
last_finding(const offer_record& offer, std::string_view type, std::initializer_list<api::reason> reasons)
{
    const kube::condition* last = offer.status.find_present(type, offer.meta.generation);
    const bool was_found = last && std::any_of(reasons.begin(), reasons.end(), [&](const api::reason& each) {
                               return each.name == last->reason;
                           });
    return was_found ? std::optional(*last) : std::nullopt;
}

}  // namespace portitor::offer

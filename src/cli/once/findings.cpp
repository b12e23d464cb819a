#include "cli/once/findings.hpp"

#include "offer/naming.hpp"
#include "offer/plan.hpp"

#include <portitor/api/conditions.hpp>

#include <algorithm>

namespace portitor::cli::once {

namespace {

bool holds(const offer::offer_record& offer, std::string_view type)
{
    const kube::condition* said = offer.status.find_present(type, offer.meta.generation);
    return said && said->is_true();
}

bool writes_route(const offer::plan& todo)
{
    return std::any_of(todo.applies.begin(), todo.applies.end(), [](const offer::apply& each) {
        return each.kind == offer::child_kind::http_route;
    });
}

}  // namespace

void recall_findings(
    offer::observation& seen,
    const offer::offer_record& before,
    const offer::plan_settings& settings,
    clock::time_point now
)
{
    if (!before.spec || !seen.offer->spec)
        return;
    if (holds(before, api::condition_type::upstream_healthy) &&
        offer::upstream_url(*before.spec) == offer::upstream_url(*seen.offer->spec))
        seen.probe.health = offer::probe_result::verdict::healthy;
    if (holds(before, api::condition_type::route_published) &&
        !writes_route(offer::make_plan(seen, settings, now)))
        seen.proof.said = offer::gate_proof::verdict::proved;
}

}  // namespace portitor::cli::once

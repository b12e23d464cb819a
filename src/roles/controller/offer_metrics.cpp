#include "roles/controller/offer_metrics.hpp"

namespace portitor::controller {

namespace {

constexpr const char* name = "portitor_offers";
constexpr const char* help = "Offers by phase; an offer that nobody has judged yet has none";

}  // namespace

offer_metrics::offer_metrics(metrics& numbers)
    : without_phase_(numbers.gauge(name, help, {{"phase", ""}})),
      left_on_chain_(numbers.counter(
          "portitor_registrations_left_on_chain_total",
          "Registrations that were let go before they were retired"
      ))
{
    for (const char* phase : {"Pending", "Ready", "Suspended", "Blocked", "Draining", "Drained", "Deleting"})
        by_phase_[phase] = &numbers.gauge(name, help, {{"phase", phase}});
}

void offer_metrics::update(const kube::change<kube::object>& of)
{
    if (of.before)
        of_phase(*of.before).add(-1);
    if (of.after)
        of_phase(*of.after).add(1);
}

// Others may write the status too: only our own words make a series.
gauge& offer_metrics::of_phase(const kube::object& offer)
{
    const auto known = by_phase_.find(kube::string_at(offer.status(), "phase"));
    return known == by_phase_.end() ? without_phase_ : *known->second;
}

}  // namespace portitor::controller

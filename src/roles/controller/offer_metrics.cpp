#include "roles/controller/offer_metrics.hpp"

#include "offer/status.hpp"

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
    for (const std::string_view each : offer::phase::all)
        by_phase_[std::string(each)] = &numbers.gauge(name, help, {{"phase", std::string(each)}});
}

void offer_metrics::update(const kube::change<offer::offer_record>& of)
{
    if (of.before)
        of_phase(*of.before).add(-1);
    if (of.after)
        of_phase(*of.after).add(1);
}

// Others may write the status too: only our own words make a series.
gauge& offer_metrics::of_phase(const offer::offer_record& offer)
{
    const auto known = by_phase_.find(offer.status.phase);
    return known == by_phase_.end() ? without_phase_ : *known->second;
}

}  // namespace portitor::controller

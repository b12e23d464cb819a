#pragma once

#include "offer/offer_record.hpp"

#include <portitor/core/metrics.hpp>
#include <portitor/kube/store.hpp>

#include <map>
#include <string>

namespace portitor::controller {

/// What alerts are made of: how many offers are in which phase, and registrations that were let go unretired.
/// One strand.
class offer_metrics
{
public:
    explicit offer_metrics(metrics& numbers);

    /// Counts an offer that has come, changed or gone.
    void update(const kube::change<offer::offer_record>& of);

    void left_on_chain() { left_on_chain_.add(); }

private:
    gauge& of_phase(const offer::offer_record& offer);

    std::map<std::string, gauge*, std::less<>> by_phase_;
    gauge& without_phase_;
    counter& left_on_chain_;
};

}  // namespace portitor::controller

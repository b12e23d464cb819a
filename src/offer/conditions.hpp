#pragma once

#include "offer/evidence.hpp"

#include <string>
#include <vector>

namespace portitor::offer {

/// ModelReady of an inference offer.
kube::condition judge_model(const evidence& all);

kube::condition judge_upstream(const evidence& all);

/// PaymentGateReady.
kube::condition judge_gate(const evidence& all);

/// Draining of an offer that is past its drainAt.
kube::condition judge_ending(const ending& of);

/// NotSupported of an offer with fields that nothing is sold by.
kube::condition judge_supported(const std::vector<api::unsupported_field>& fields);

/// Whether UpstreamHealthy, PaymentGateReady and RoutePublished are all True.
bool holds_for_ready(const std::vector<kube::condition>& conditions);

/// Ready, from all others.
kube::condition judge_ready(const std::vector<kube::condition>& conditions, const evidence& all);

/// The conditions of an offer that the operator's selector leaves out, while `waiting_for` is still there;
/// empty: nothing is.
std::vector<kube::condition> judge_not_selected(const offer_record& offer, const std::string& waiting_for);

/// The conditions of an offer on its way out: the live ones, with what no longer holds.
std::vector<kube::condition> judge_deleting(const offer_record& offer, const std::string& waiting_for);

}  // namespace portitor::offer

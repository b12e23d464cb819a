#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/api/service_offer.hpp>

#include <functional>
#include <string>
#include <vector>

namespace portitor::offer {

/// The Middleware of that name, or null.
using middleware_finder = std::function<kube::object_ptr(const kube::object_key&)>;

/// Whether an HTTPRoute is for the operator's Gateway, as far as it says itself.
bool is_attached(const kube::object& route, const plan_settings& settings);

/// The Services ("namespace/name") that rules of an HTTPRoute may lead to without payment: all but those of
/// rules that are as Portitor writes them.
std::vector<std::string> open_backends(const kube::object& route);

/// The Middlewares ("namespace/name") that decide whether a rule of an HTTPRoute is paid, but for those of
/// rules that are as Portitor writes them.
std::vector<std::string> deciding_middlewares(const kube::object& route);

/// How an HTTPRoute leads around the gate of an offer: it is attached to the operator's Gateway, and one of
/// its rules takes requests for the offer's path, for some above or below it, to the offer's Service and port
/// without asking the verifier. A Middleware that does not exist asks nobody, but the gateway does not serve
/// its rule either. Returns words that name route and rule; empty where there is no such rule. What it cannot
/// judge (regular expressions, matches by header, method and query) it takes for a way around.
std::string find_way_around(
    const kube::object& route,
    const api::service_offer& offer,
    const plan_settings& settings,
    const middleware_finder& find
);

}  // namespace portitor::offer

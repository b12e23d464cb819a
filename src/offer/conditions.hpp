#pragma once

#include "offer/terms.hpp"

#include <portitor/api/registration_request.hpp>

#include <array>

namespace portitor::offer {

/// Why a child is left as it is for now.
struct hold
{
    std::string reason;
    std::string words;
};

/// Everything that the conditions of an offer are judged by.
struct evidence
{
    const kube::object& offer;
    const observation& seen;
    const plan_settings& settings;
    const draft& wanted;
    bool gate_changes = false;   ///< the plan writes the PaymentRoute: what was said of it is about the past
    bool route_changes = false;  ///< likewise the HTTPRoute
    std::string gate_error;   ///< why Middleware or PaymentRoute could not be written; empty: nothing failed
    std::string route_error;  ///< likewise the HTTPRoute
    std::optional<hold> gate_hold;   ///< why Middleware or PaymentRoute has to wait; absent: neither has to
    std::optional<hold> route_hold;  ///< likewise the HTTPRoute
};

/// The conditions in the order in which a human reads them, Ready last; without transition times. Registered
/// is left to be added by add_registered(), because the registration depends on the others.
std::vector<kube::condition> judge(const evidence& all);

/// The conditions that Ready sums up.
inline constexpr std::array<std::string_view, 3> needed_for_ready{
    "UpstreamHealthy", "PaymentGateReady", "RoutePublished"};

/// A condition with its words formatted; generation and time are filled in later.
template <typename... Args>
kube::condition make_condition(
    const char* type,
    const char* status,
    std::string_view reason,
    fmt::format_string<Args...> text,
    Args&&... args
)
{
    return {type, status, std::string(reason), fmt::format(text, std::forward<Args>(args)...), 0, {}};
}

/// What the gateway must refuse, once it publishes the route; nothing where there is nothing to prove (yet).
std::optional<proof_target> wanted_proof(const evidence& all);

/// The live condition of that type where it is about the present spec and has one of these reasons: what was
/// found before a controller started that has not looked itself yet.
std::optional<kube::condition>
last_finding(const kube::object& offer, const char* type, std::initializer_list<std::string_view> reasons);

/// UpstreamHealthy, PaymentGateReady and RoutePublished are all True.
bool three_hold(const std::vector<kube::condition>& conditions);

/// Puts Registered before Ready.
void add_registered(std::vector<kube::condition>& conditions, const evidence& all);

/// The conditions of an offer on its way out: the live ones, with what no longer holds.
std::vector<kube::condition> judge_deleting(const kube::object& offer, const std::string& waiting_for);

/// One word for the whole: Pending, Ready, Suspended, Blocked, Draining, Drained or Deleting.
std::string phase_of(const std::vector<kube::condition>& conditions, const evidence& all);

/// The whole status, with transition times kept from the live one; nothing where the live one already says
/// so.
std::optional<boost::json::object> make_status(
    const kube::object& offer,
    std::vector<kube::condition> conditions,
    std::string phase,
    std::string endpoint,
    const kube::object_ptr& registration,
    clock::time_point now
);

/// The live status with Ready=False, InternalError; nothing where it says that of this generation already,
/// in whatever words.
std::optional<boost::json::object>
make_fault_status(const kube::object& offer, const std::string& what, clock::time_point now);

/// Events for what turned True or False since the live status.
std::vector<note> transitions(const kube::object& offer, const std::vector<kube::condition>& conditions);

}  // namespace portitor::offer

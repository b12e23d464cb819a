#pragma once

#include "offer/evidence.hpp"
#include "offer/steps.hpp"

#include <optional>
#include <string>
#include <vector>

namespace portitor::offer {

/// One word for the whole of an offer, in its status.
namespace phase {

inline constexpr std::string_view pending = "Pending";
inline constexpr std::string_view ready = "Ready";
inline constexpr std::string_view suspended = "Suspended";
inline constexpr std::string_view blocked = "Blocked";
inline constexpr std::string_view draining = "Draining";
inline constexpr std::string_view drained = "Drained";
inline constexpr std::string_view deleting = "Deleting";

inline constexpr std::array all{pending, ready, suspended, blocked, draining, drained, deleting};

}  // namespace phase

/// The phase of an offer that stays.
std::string_view phase_of(const std::vector<kube::condition>& conditions, const draft& wanted);

/// A status that is to be written.
struct new_status
{
    boost::json::object whole;
    bool only_words = false;  ///< it differs from the live one in messages alone
    /// Types of the conditions that were not True of this generation and are now; of those that what is
    /// watched may turn to and fro.
    std::vector<std::string> better;
    bool ends_ready = false;  ///< Ready was True of this generation, and is not any more
};

/// The whole status, without what the schema that is served has no field for, with transition times kept from
/// the live one; nothing where the live one already says so.
std::optional<new_status> make_status(
    const offer_record& offer,
    std::vector<kube::condition> conditions,
    std::string_view phase,
    const std::string& endpoint,
    const kube::object* registration,
    const api::served_schema& served,
    clock::time_point now
);

/// The live status with Ready=False, InternalError; nothing where it says that of this generation already,
/// in whatever words.
std::optional<boost::json::object> make_fault_status(
    const offer_record& offer,
    const std::string& what,
    const api::served_schema& served,
    clock::time_point now
);

/// Events for what turned True or False since the live status.
std::vector<note> transitions(const offer_record& offer, const std::vector<kube::condition>& conditions);

}  // namespace portitor::offer

#pragma once

#include "cli/cluster/operator_settings.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <iosfwd>
#include <span>
#include <vector>

namespace portitor::cli::sell {

/// An offer and what tells how it stands.
struct status_view
{
    kube::object_ptr offer;
    kube::object_ptr route;         ///< its PaymentRoute; null where there is none, or it cannot be read
    kube::object_ptr registration;  ///< its RegistrationRequest, likewise
    std::string route_unseen{};     ///< why the PaymentRoute cannot be read, in the user's words
    std::string left_out{};         ///< why the controller does not look at the offer; empty: it does
};

/// The conditions in the order in which people read them, then those of others, 32 in all.
std::vector<kube::condition> ordered_conditions(const kube::object& offer);

/// Reads all of it; in the user's words where the offer cannot be read.
boost::asio::awaitable<result<status_view>> read_status(kube::api& server, kube::object_key of);

/// For people: what is sold, a table of conditions, and what can be done about those that are not True.
struct status_style
{
    bool colour = false;
    bool wide = false;     ///< with the times of conditions and their generations
    std::string settings;  ///< where the operator's settings come from; empty where they were not read
};
void print_status(
    std::ostream& out,
    status_style how,
    const status_view& of,
    const offer::plan_settings& settings,
    clock::time_point now
);

/// For programs: {"offer": the whole object, "ready": …, "hints": [{"type", "status", "reason", "message",
/// "do", "command"}], "settings": where they come from, "leftOut": status_view::left_out}, the last two where
/// they are not empty.
boost::json::object status_data(const status_view& of, const std::string& settings);

/// Several offers: a table, and their problems by reason with what to do.
void print_problems(
    std::ostream& out,
    bool colour,
    std::span<const kube::object_ptr> offers,
    const operator_settings& settings
);

}  // namespace portitor::cli::sell

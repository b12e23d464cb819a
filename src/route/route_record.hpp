#pragma once

#include "route/served_route.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/kube/object.hpp>

#include <memory>
#include <string>

namespace portitor::route {

/// Somebody refuses a route that is called admitted, and has asked who serves it.
struct route_question
{
    std::string time;
    std::string name;      ///< who asks
    std::string reason;    ///< why it is refused there
    std::string answered;  ///< the time that was answered last
};

/// What the verifier keeps of a PaymentRoute: how it is served, and what its status says already. There may
/// be a hundred thousand, so what most of them have nothing of takes no room.
struct route_record
{
    kube::object_identity meta;
    route_ptr served;     ///< null where this verifier refuses it
    std::string refusal;  ///< why

    // The status, as far as the next verdict depends on it.
    bool admitted = false;
    std::int64_t last_admitted_generation = 0;
    std::int64_t judged_generation = 0;  ///< of the condition Admitted; 0: there is none
    bool judged_true = false;
    bool judged_refused_by_some = false;                  ///< the condition names one that refuses it
    clock::time_point transition_time{};                  ///< time_point{}: there is none
    std::shared_ptr<const route_question> last_question;  ///< null: nobody has asked

    /// When the last question was asked; empty: never.
    std::string_view asked() const { return last_question ? last_question->time : std::string_view(); }
    /// Whether somebody has asked, and nobody has answered since.
    bool has_open_question() const { return last_question && last_question->time != last_question->answered; }
    /// Whether the status calls the present generation admitted, in all of its fields.
    bool called_admitted() const;
    /// Whether the condition is about the present generation, and agrees with the other fields.
    bool judged() const;

    /// errc::protocol for what is no object. A route that must not be served is a record all the same.
    static result<std::shared_ptr<const route_record>>
    read(boost::json::object&& raw, const serving_limits& allowed);

    /// What stands for a route that could not be read: refused. `raw` is what there is of it.
    static std::shared_ptr<const route_record>
    unreadable(const kube::object_identity& which, const boost::json::object& raw, const std::string& why);

    /// Why this verifier sells nothing by it now; empty where it does.
    std::string refusal_now() const { return served ? served->lacking() : refusal; }

private:
    void read_status(const boost::json::object& status);
};

}  // namespace portitor::route

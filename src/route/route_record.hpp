#pragma once

#include "route/served_route.hpp"

#include <portitor/kube/object.hpp>
#include <portitor/kube/object_filter.hpp>

#include <memory>
#include <string>

namespace portitor::route {

/// What the verifier keeps of a PaymentRoute: how it is served, and what its status says already.
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
    bool judged_refused_by_some = false;  ///< the condition names one that refuses it
    std::string transition_time;
    std::string asked;         ///< when somebody who refuses it asked last who serves it; empty: nobody has
    std::string asked_name;    ///< who
    std::string asked_reason;  ///< why it is refused there
    std::string answered;      ///< the `asked` that was answered last

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

/// What is read of a PaymentRoute: neither labels nor annotations.
std::shared_ptr<const kube::object_filter> route_filter();

}  // namespace portitor::route

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
    std::string transition_time;

    /// errc::protocol for what is no object. A route that must not be served is a record all the same.
    static result<std::shared_ptr<const route_record>>
    read(boost::json::object&& raw, const serving_limits& allowed);

    /// What stands for a route that could not be read: refused. `raw` is what there is of it.
    static std::shared_ptr<const route_record>
    unreadable(const kube::object_identity& which, const boost::json::object& raw, const std::string& why);

private:
    void read_status(const boost::json::object& status);
};

/// What is read of a PaymentRoute: neither labels nor annotations.
std::shared_ptr<const kube::object_filter> route_filter();

}  // namespace portitor::route

#pragma once

#include <portitor/config/gateway_options.hpp>
#include <portitor/config/lease_options.hpp>
#include <portitor/config/operator_lists.hpp>
#include <portitor/config/service_port.hpp>

#include <chrono>
#include <string>

namespace portitor::controller {

/// What --role=controller reads. The names of the flags are those of the members, with dashes.
struct options
{
    config::lease_options lease;
    config::gateway_options gateway;
    config::operator_lists lists;
    std::string listen;  ///< where the discovery documents are served; empty: nowhere
    config::service_port discovery_service;
    std::string gate_key_file;
    std::string offer_selector;
    std::chrono::seconds deletion_deadline{300};
    bool dry_run = false;

    void declare(config::loader& into);

    /// Who writes nothing holds no Lease either.
    result<void> resolve();
};

}  // namespace portitor::controller

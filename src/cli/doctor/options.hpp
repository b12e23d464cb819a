#pragma once

#include "cli/cluster/operator_settings.hpp"
#include "cli/doctor/patient.hpp"

#include <portitor/config/loader.hpp>
#include <portitor/core/u256.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace portitor::cli::doctor {

/// What `portitor doctor` reads.
struct options
{
    operator_settings settings;
    config::service_port discovery_service;
    std::string registrar_account;
    u256 low_balance;  ///< wei; the registrar sends nothing from an account that has less
    std::string output;
    std::string ns;                 ///< of the offers that are looked at; empty: all
    std::vector<std::string> only;  ///< names of areas; empty: all
    std::chrono::seconds timeout{15};
    bool offline = false;
    bool strict = false;
    bool rights = false;  ///< print the table of rights, and ask nobody

    void declare(config::loader& into);
    /// errc::invalid for an area, an output or an account that is none.
    result<void> resolve();

    /// The areas to look at.
    std::vector<area> areas() const;
};

}  // namespace portitor::cli::doctor

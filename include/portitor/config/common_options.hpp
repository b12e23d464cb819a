#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/core/u256.hpp>

#include <chrono>
#include <string>

namespace portitor::config {

// Options that several groups or roles read, each into a place of its own.

/// --namespace: where this process runs.
option namespace_option(std::string& into);

/// --listen: the address of the role's own service.
option listen_option(std::string& into);

/// --gate-key-file: the secret by which the verifier knows the gateway (api/gate_key.hpp).
option gate_key_file_option(std::string& into);

/// --allow-insecure-facilitator.
option insecure_option(bool& into);

/// --leader-elect-lease-duration.
option lease_duration_option(std::chrono::seconds& into);

/// --offer-selector: which offers the controller acts on.
option offer_selector_option(std::string& into);

/// --deletion-deadline: how long it waits for what a deleted offer leaves.
option deletion_deadline_option(std::chrono::seconds& into);

/// --low-balance: an account of the registrar that has less sends nothing; in wei.
option low_balance_option(u256& into);

}  // namespace portitor::config

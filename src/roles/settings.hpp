#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/core/log.hpp>
#include <portitor/http/message.hpp>
#include <portitor/kube/object.hpp>
#include <portitor/x402/networks.hpp>

#include <chrono>
#include <map>
#include <string>
#include <vector>

namespace portitor::roles {

/// One entry of the operator's list of facilitators.
struct facilitator
{
    std::string name;
    std::string url;
};

/// One chain on which agents may be registered, and its registry.
struct chain
{
    std::string name;  ///< CAIP-2 or the network's name
    std::string registry;
    std::string rpc_url;  ///< of a JSON-RPC node; empty: the verifier cannot look there
};

/// An Authorization value for upstreams, and the namespaces whose offers may use it.
struct credential_entry
{
    std::string name;
    std::string file;                     ///< holds the value, such as "Bearer abc"; read again as it changes
    std::vector<std::string> namespaces;  ///< "*" stands for all
};

/// A Service and one of its ports.
struct service_port
{
    kube::object_key service;  ///< empty name: none
    std::uint16_t port = 8080;
};

/// Everything an operator can set, for every role. The names of the flags are those of the members, with
/// dashes.
struct settings
{
    std::string role;
    log_level level = log_level::info;
    log_format format = log_format::text;
    std::string kubeconfig;
    std::string context;
    std::string listen;
    std::string health_listen;
    std::string ns;  ///< --namespace: where this process runs
    bool leader_elect = true;
    std::chrono::seconds lease_duration{15};
    std::chrono::seconds renew_deadline{10};
    std::chrono::seconds retry_period{2};
    std::uint32_t kube_api_qps = 0;  ///< 0: no limit
    std::uint32_t kube_api_burst = 100;
    kube::object_key gateway;
    std::string gateway_section;
    std::string gateway_controller;
    std::string verifier_url;
    kube::object_key verifier_service;
    std::string gateway_url;
    service_port discovery_service;
    std::string public_url;
    std::string default_facilitator;
    bool allow_insecure_facilitator = false;
    std::string offer_selector;
    std::chrono::seconds deletion_deadline{300};
    bool dry_run = false;

    // For --role=verifier.
    std::uint32_t threads = 0;  ///< 0: one per core
    std::string tls_cert_file;
    std::string tls_key_file;
    std::string cors_origins;  ///< "*" or origins separated by spaces; empty: CORS is the upstream's affair
    std::uint32_t max_claims = 100'000;
    std::chrono::seconds max_validity{3600};
    std::chrono::seconds shutdown_delay{0};

    std::vector<facilitator> facilitators;
    std::vector<credential_entry> credentials;
    std::vector<chain> chains;
    x402::network_table networks;

    bool until_done = false;  ///< for --role=registrar

    // For --role=once.
    std::vector<std::string> offers;
    std::string file;
    std::string output;

    /// The facilitator of that name, or nullptr.
    const facilitator* find_facilitator(std::string_view name) const;
};

/// Declares every option and section of `into` with the loader, and checks what only fits together: see
/// check().
void declare(config_loader& loader, settings& into);

/// Fills in what depends on other settings; errc::invalid where settings contradict each other.
result<void> check(settings& all);

}  // namespace portitor::roles

#pragma once

#include <portitor/config/hosts.hpp>
#include <portitor/config/loader.hpp>
#include <portitor/kube/object.hpp>

#include <string>
#include <vector>

namespace portitor::config {

/// The gateway that publishes offers, and how it, the verifier and the buyers find each other.
struct gateway_options
{
    std::string ns;            ///< --namespace
    kube::object_key gateway;  ///< empty name: nothing can be published
    std::string section;       ///< listener; empty: any
    std::string controller;    ///< whose word on a route counts
    std::string verifier_url;  ///< as the gateway reaches it
    kube::object_key verifier_service;
    std::string gateway_url;  ///< as the controller reaches the gateway; empty: the gate is not proved
    std::string public_url;   ///< as buyers reach the gateway; may be empty
    host_lists hosts;         ///< whose hosts are whose
    /// "*", or origins such as "https://shop.example", whose pages may ask and read; empty: CORS is the
    /// upstreams' affair.
    std::vector<std::string> cors_origins;

    void declare(loader& into);
    /// All but `ns`, for who has another name for it.
    void declare_gateway(loader& into);

    /// The hosts that are everybody's.
    config::public_hosts public_hosts() const { return hosts.public_with(public_url); }

    /// Fills in the verifier's usual URL.
    result<void> resolve();
};

}  // namespace portitor::config

#pragma once

#include "roles/registrar/keys.hpp"

#include <portitor/config/chains.hpp>
#include <portitor/config/lease_options.hpp>
#include <portitor/config/networks.hpp>
#include <portitor/config/registrar_lists.hpp>
#include <portitor/core/u256.hpp>
#include <portitor/kube/object.hpp>

#include <chrono>

namespace portitor::registrar {

/// What --role=registrar reads. The names of the flags are those of the members, with dashes.
struct options
{
    config::lease_options lease;
    key_options key;
    config::chain_list chains;
    config::network_list networks;
    config::registrar_lists lists;
    kube::object_key request;                ///< the only one to be executed, to its end; empty: all
    bool until_done = false;                 ///< it ends when every request has been executed
    std::chrono::seconds min_interval{300};  ///< between two transactions of one request
    u256 low_balance;                        ///< wei; an account that has less sends nothing

    void declare(config::loader& into);
    result<void> resolve();
};

}  // namespace portitor::registrar

#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/x402/networks.hpp>

namespace portitor::config {

/// The networks and tokens that offers may be paid in: the built-in ones, and what the operator's list adds
/// or changes.
struct network_list
{
    x402::network_table table = x402::network_table::built_in();

    void declare(loader& into);
    result<void> resolve() { return {}; }
};

}  // namespace portitor::config

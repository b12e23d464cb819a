#pragma once

#include <portitor/config/gateway_options.hpp>
#include <portitor/config/operator_lists.hpp>

#include <string>
#include <vector>

namespace portitor::cli::once {

/// What `portitor once` reads.
struct options
{
    config::gateway_options gateway;
    config::operator_lists lists;
    std::vector<std::string> offers;  ///< NAMESPACE/NAME; empty: all
    std::string file;                 ///< "-" is standard input
    std::string output;               ///< text, yaml or json

    void declare(config::loader& into);
    result<void> resolve() { return config::resolve_all(gateway, lists); }
};

}  // namespace portitor::cli::once

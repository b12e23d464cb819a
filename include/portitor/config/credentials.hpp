#pragma once

#include <portitor/config/loader.hpp>

#include <string>
#include <vector>

namespace portitor::config {

/// An Authorization value for upstreams, and the namespaces whose offers may use it.
struct credential_entry
{
    std::string name;
    std::string file;                     ///< holds the value, such as "Bearer abc"; read again as it changes
    std::vector<std::string> namespaces;  ///< "*" stands for all
};

/// The credentials that the operator lends to offers.
struct credential_list
{
    std::vector<credential_entry> entries;

    void declare(loader& into);
    result<void> resolve() { return {}; }
};

}  // namespace portitor::config

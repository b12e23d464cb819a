#pragma once

#include <portitor/config/lease_options.hpp>

namespace portitor::registrar {

/// What --role=registrar reads.
struct options
{
    config::lease_options lease;
    bool until_done = false;  ///< it ends when every request has been executed

    void declare(config::loader& into);
    result<void> resolve() { return lease.resolve(); }
};

}  // namespace portitor::registrar

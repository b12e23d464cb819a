#pragma once

#include <portitor/config/loader.hpp>

#include <cstdint>

namespace portitor::config {

/// How much one namespace may have.
struct offer_limits
{
    std::uint32_t per_namespace = 0;  ///< offers that are sold, the oldest ones; 0: as many as there are

    void declare(loader& into);
    result<void> resolve() { return {}; }
};

}  // namespace portitor::config

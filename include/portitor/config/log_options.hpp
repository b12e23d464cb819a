#pragma once

#include <portitor/config/loader.hpp>
#include <portitor/core/log.hpp>

namespace portitor::config {

/// What is logged, and in which form.
struct log_options
{
    log_level level = log_level::info;
    log_format format = log_format::text;

    void declare(loader& into);
    result<void> resolve() { return {}; }
};

}  // namespace portitor::config

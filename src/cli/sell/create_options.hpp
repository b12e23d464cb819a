#pragma once

#include "cli/sell/common_options.hpp"
#include "cli/sell/offer_flags.hpp"

#include <string>

namespace portitor::cli::sell {

/// What `sell http` and `sell inference` read.
struct create_options
{
    explicit create_options(api::offer_type type) : flags(type) {}

    std::string name;
    offer_flags flags;
    common_options common;
    std::string file;                 ///< --from-json; "-" is standard input
    std::vector<std::string> labels;  ///< "KEY=VALUE"
    bool dry_run = false;
    wait_options waits;
    bool force_conflicts = false;

    void declare(config::loader& into);
    result<void> resolve();

    /// The manifest that comes of the file and the flags, with its namespace.
    result<boost::json::object> make_manifest(const console& terminal) const;
};

}  // namespace portitor::cli::sell

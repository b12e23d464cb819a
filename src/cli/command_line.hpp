#pragma once

#include "cli/command.hpp"
#include "roles/role.hpp"

#include <portitor/config/kube_options.hpp>
#include <portitor/config/log_options.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace portitor::cli {

/// What the command line asks this process to do, and what the process itself has to know for that.
struct job
{
    std::string name;  ///< of the role or command
    config::log_options log;
    config::kube_options kube;
    std::string health_listen;   ///< address of probes and metrics
    bool serves_health = false;  ///< whether they are served at all
    /// What runs. It is given what outlives it.
    std::function<std::unique_ptr<roles::role>(const roles::process&, const console&)> make;
};

/// Reads a command line: `portitor --role=ROLE ...` or `portitor COMMAND [SUBCOMMAND ...] ...`, with
/// everything that its options may come from. Nothing where it only asked for help or the version, which is
/// then written to `out`.
result<std::optional<job>>
parse(std::span<const command> commands, int argc, const char* const* argv, std::ostream& out);

}  // namespace portitor::cli

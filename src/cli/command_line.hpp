#pragma once

#include "cli/command.hpp"
#include "roles/role.hpp"

#include <portitor/config/kube_options.hpp>
#include <portitor/config/log_options.hpp>

#include <functional>
#include <memory>
#include <span>
#include <string>

namespace portitor::cli {

/// What the command line asks this process to do, and what the process itself has to know for that. It stays
/// where it is: its settings may be read again.
struct job
{
    job() = default;
    job(const job&) = delete;
    job& operator=(const job&) = delete;

    std::string name;  ///< of the role or command
    config::log_options log;
    config::kube_options kube;
    std::string health_listen;   ///< address of probes and metrics
    std::string colour;          ///< --color: auto, always or never
    bool serves_health = false;  ///< whether they are served at all; a role's are, a command's not
    bool acts = false;           ///< see command::acts
    /// What runs. It is given what outlives it, as the job does; of the console the streams, and whether they
    /// are terminals.
    std::function<std::unique_ptr<roles::role>(const roles::process&, const console&)> make;
};

/// Why a command line is not run.
struct refusal
{
    error why;
    int exit_code = 2;  ///< that of the role or command that it named; see command::usage_exit_code
};

using parsed = boost::system::result<std::unique_ptr<job>, refusal>;

/// Reads a command line: `portitor --role=ROLE ...` or `portitor COMMAND [SUBCOMMAND ...] ...`, whose
/// flags may stand before its words, with everything that its options may come from. Null where it only asked
/// for help or the version, which is then written to `out`.
parsed parse(std::span<const command> commands, int argc, const char* const* argv, std::ostream& out);

/// Whether to write colours: `mode` is that of --color; "auto" goes by the terminal, NO_COLOR and TERM.
bool wants_colour(std::string_view mode, bool is_terminal);

}  // namespace portitor::cli

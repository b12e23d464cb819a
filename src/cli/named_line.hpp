#pragma once

#include "cli/command.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli {

/// What the words of a command line name. Flags may stand before them and among them:
/// `portitor -n shop sell list`.
struct named_line
{
    std::vector<const command*> path;  ///< of the command, as far as its words are known; empty: none
    std::vector<const char*> rest;     ///< what is not of the path, behind argv[0]; with --help for `help`
    std::string stranger;      ///< the word that should have gone on with the path; empty: there is none
    std::string role;          ///< of --role, before any word
    std::string unknown_flag;  ///< the first one before the end of the path
    bool wants_help = false;   ///< the same of a flag, or `help`

    bool is_complete() const { return !path.empty() && path.back()->make; }
};

/// Whether a flag takes a value is looked up among those of all roles and commands.
named_line read_words(std::span<const command> commands, int argc, const char* const* argv);

}  // namespace portitor::cli

#pragma once

#include "cli/command.hpp"

#include <portitor/config/loader.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli {

/// A place of the command line, as completion and the manual page need it.
struct declared
{
    std::string words;  ///< "sell http"; empty: the program itself
    std::string summary;
    std::vector<config::example> examples;
    std::vector<std::pair<std::string, std::string>> subcommands;  ///< name and summary
    /// What may be given; null where a subcommand has to be named. Only to be looked at.
    std::shared_ptr<const config::loader> settings;
};

/// The program, and each of its commands, in the order of their declaration.
std::vector<declared> all_declared(std::span<const command> commands);

/// A flag as it is typed, and its option.
struct flag
{
    std::string text;  ///< "--file", "-f"
    const config::option* what;
};

/// All that the help shows, with letters and other names; what every command has (--help) is not among them.
std::vector<flag> flags_of(const declared& where);

/// The flags that take a value, of all places: they do so in each that has them.
std::vector<std::string> flags_with_value(std::span<const declared> all);

}  // namespace portitor::cli

#pragma once

#include <portitor/config/loader.hpp>

namespace portitor::config {

/// Whether help, completion and manual page show it: not what is hidden, nor what has no help text, which can
/// be given all the same.
bool is_listed(const known_option& what);

/// How much of the options a help shows.
enum class help_extent
{
    own,  ///< of those that many commands have, only that there are some: --help
    all,  ///< --help=all
};

/// The help of a program: its usage, words, options by heading, and examples.
std::string help_text(const loader& of, help_extent shown);

/// "portitor sell stop NAME [options]".
std::string usage_line(const loader& of);

/// What stands for the value of an option: "FILE", "text|json"; empty for a switch.
std::string placeholder_of(const option& what);

/// What is said of an option: its help, and whether it is required, a list, has a default.
std::string help_of(const option& what);

/// Whether its value is the name of a file.
bool takes_file(const option& what);

}  // namespace portitor::config

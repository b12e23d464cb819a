#pragma once

#include <portitor/config/help.hpp>

namespace portitor::config {

/// What a command line says.
struct command_line
{
    given_values flags;
    std::vector<std::string> words;
    bool wants_help = false;
    help_extent shown = help_extent::own;
    bool wants_version = false;
};

/// Reads `--name VALUE`, `--name=VALUE`, `-f VALUE`, `-fVALUE`, switches, and words, in any order; what
/// follows `--` is words. errc::invalid names the flag that is unknown, given twice or without its value.
result<command_line> read_flags(std::span<const known_option> known, int argc, const char* const* argv);

}  // namespace portitor::config

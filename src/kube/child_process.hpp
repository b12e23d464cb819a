#pragma once

#include <portitor/core/error.hpp>

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

namespace portitor::kube {

struct child_command
{
    std::string program;                   ///< a path, or a bare name that is looked up in PATH
    std::vector<std::string> arguments;    ///< without the program's name
    std::vector<std::string> environment;  ///< "NAME=value", all of it
};

struct child_limits
{
    std::chrono::milliseconds time{std::chrono::seconds(60)};
    std::size_t output = 1024 * 1024;
};

/// Runs a program in a process group of its own and returns what it wrote to stdout. Its stdin and stderr are
/// /dev/null, and it inherits no other file. Blocks until the child has ended and is reaped.
/// errc::not_found: there is no such program. errc::unavailable: it did not end with status 0, or was killed
/// with its group because it broke a limit. errc::canceled: killed because of `stop`. No message holds
/// anything of its output, which may be a secret.
result<std::string> run_child(const child_command& command, const child_limits& limits, std::stop_token stop);

}  // namespace portitor::kube

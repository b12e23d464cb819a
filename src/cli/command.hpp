#pragma once

#include "roles/process.hpp"

#include <portitor/config/loader.hpp>

#include <boost/asio/awaitable.hpp>

#include <iosfwd>
#include <memory>
#include <string_view>
#include <vector>

namespace portitor::cli {

/// Where a command reads and writes.
struct console
{
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
};

/// One use of a command: it declares what it reads, resolves it, and runs.
class action
{
public:
    virtual ~action() = default;

    virtual void declare(config::loader& into) = 0;
    virtual result<void> resolve() = 0;

    /// A value is the exit code; an error is one line for the user, and exit code 1.
    virtual boost::asio::awaitable<result<int>>
    run(const roles::process& around, const console& terminal) = 0;
};

/// Something that a person does once: words that come first on the command line, in place of --role.
struct command
{
    std::string_view name;
    std::string_view summary;
    std::unique_ptr<action> (*make)() = nullptr;  ///< nullptr: one of the subcommands has to be named
    std::vector<command> subcommands{};
    /// `--role=NAME` starts it too; its options are known to every role, and to the configuration file.
    bool is_role = false;
};

/// Every command of this binary. A new one is one entry in command.cpp.
const std::vector<command>& all_commands();

}  // namespace portitor::cli

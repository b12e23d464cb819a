#pragma once

#include "cli/command_line.hpp"
#include "roles/registry.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli {

/// A role or a command that may be run, with options of its own.
struct candidate
{
    std::string_view name;
    std::string_view summary;
    bool serves_health;
    bool acts;  ///< see command::acts; a role does
    std::function<void(config::loader&)> declare;
    std::function<result<void>()> resolve;
    decltype(job::make) make;
};

candidate candidate_of(const roles::role_entry& entry);
candidate candidate_of(const command& entry);

/// All that --role may name, except a command that declares itself.
std::vector<candidate> named_by_role(std::span<const command> commands, const command* except = nullptr);

/// What the program itself reads, and all of these that it may be.
void declare_program(config::loader& into, job& made, std::string& role, std::span<const candidate> all);

/// What one command reads.
void declare_command(config::loader& into, job& made, const candidate& own);

}  // namespace portitor::cli

#pragma once

#include "roles/role.hpp"
#include "roles/settings.hpp"

#include <memory>
#include <span>
#include <string_view>

namespace portitor::cli {

/// A word that comes first on the command line, in place of --role: something that a person does once.
struct command
{
    std::string_view name;
    std::string_view summary;
    std::span<const std::string_view> options;  ///< the settings that its help shows
    std::unique_ptr<roles::role> (*make)(const roles::process& around, const roles::settings& config);
};

/// Every command of this binary. A new one is one entry in command.cpp.
std::span<const command> all_commands();

/// The command of that name, or nullptr.
const command* find_command(std::string_view name);

}  // namespace portitor::cli

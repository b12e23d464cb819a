#include "cli/command.hpp"

#include "cli/release_finalizers.hpp"

#include <algorithm>
#include <array>

namespace portitor::cli {

namespace {

constexpr std::array<std::string_view, 7> of_release_finalizers{
    "dry-run", "namespace", "kubeconfig", "context", "config", "log-level", "log-format"};

}  // namespace

std::span<const command> all_commands()
{
    static constexpr std::array entries{
        command{
            "release-finalizers",
            "before an uninstall: stops the controller and lets go of every object that it holds",
            of_release_finalizers,
            &make_release_finalizers},
    };
    return entries;
}

const command* find_command(std::string_view name)
{
    const auto all = all_commands();
    const auto at =
        std::find_if(all.begin(), all.end(), [&](const command& each) { return each.name == name; });
    return at == all.end() ? nullptr : &*at;
}

}  // namespace portitor::cli

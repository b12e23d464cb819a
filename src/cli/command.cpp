#include "cli/command.hpp"

#include "cli/once/once.hpp"
#include "cli/release_finalizers.hpp"
#include "cli/sell/sell.hpp"

namespace portitor::cli {

const std::vector<command>& all_commands()
{
    static const std::vector<command> entries{
        {.name = "once",
         .summary = "shows what would be made of an offer, and writes nothing",
         .make = &make_once,
         .is_role = true,
         .usage_exit_code = 1},

        {.name = "release-finalizers",
         .summary = "before an uninstall: stops the controller and lets go of every object that it holds",
         .make = &make_release_finalizers},

        sell_command(),
    };
    return entries;
}

}  // namespace portitor::cli

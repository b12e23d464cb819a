#include "cli/command.hpp"

#include "cli/once/once.hpp"
#include "cli/release_finalizers.hpp"

namespace portitor::cli {

const std::vector<command>& all_commands()
{
    static const std::vector<command> entries{
        {"once", "shows what would be made of an offer, and writes nothing", &make_once, {}, true},
        {"release-finalizers",
         "before an uninstall: stops the controller and lets go of every object that it holds",
         &make_release_finalizers},
    };
    return entries;
}

}  // namespace portitor::cli

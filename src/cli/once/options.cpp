#include "cli/once/options.hpp"

#include <portitor/config/setters.hpp>

namespace portitor::cli::once {

void options::declare(config::loader& into)
{
    config::declare_all(into, gateway, lists);
    const config::headed own = into.under("Once");
    own.add(
        {"file", "a file with ServiceOffers, - for standard input", "", config::set_text(file), false, 'f'}
    );
    own.add({"output", "text, yaml or json", "text", config::set_text(output), false, 'o'});
    into.positional("NAMESPACE/NAME", "once: the offers to look at", offers);
}

}  // namespace portitor::cli::once

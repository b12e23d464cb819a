#include "roles/registrar/options.hpp"

#include <portitor/config/common_options.hpp>
#include <portitor/config/groups.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::registrar {

void options::declare(config::loader& into)
{
    config::declare_all(into, lease, key, chains, networks, lists);
    const config::headed own = into.under("Registrar");
    own.add(
        {.name = "request",
         .help = "executes this one RegistrationRequest to its end, as a Job does: exit code 0 where it is "
                 "Confirmed, Retired or OffChainOnly",
         .fallback = "",
         .apply = config::set_key(request),
         .placeholder = "NAMESPACE/NAME"}
    );
    own.add(
        {"until-done",
         "ends when every request that there is has been executed, as a Job does",
         "false",
         config::set_bool(until_done),
         true}
    );
    own.add(
        {.name = "min-interval",
         .help = "between two transactions of one request; the first change after its mint need not wait",
         .fallback = "5m",
         .apply = config::set_seconds(min_interval),
         .placeholder = "DURATION"}
    );
    own.add(config::low_balance_option(low_balance));
}

result<void> options::resolve()
{
    if (until_done && !request.name.empty())
        return fail(errc::invalid, "--request and --until-done: give one of the two");
    auto resolved = config::resolve_all(lease, key, chains, networks);
    return resolved ? lists.resolve(networks.table) : resolved;
}

}  // namespace portitor::registrar

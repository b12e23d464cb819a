#include "roles/controller/options.hpp"

#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::controller {

void options::declare(config::loader& into)
{
    config::declare_all(into, lease, gateway, lists);
    into.add(config::listen_option(listen));
    into.add(config::gate_key_file_option(gate_key_file));
    const config::headed own = into.under("Controller");
    own.add(
        {"discovery-service",
         "NAMESPACE/NAME[:PORT] of its own Service; named, the gateway publishes the discovery documents "
         "from there",
         "",
         config::set_service_port(discovery_service)}
    );
    into.add(config::offer_selector_option(offer_selector));
    own.add(
        {"dry-run",
         "also release-finalizers: says what it would do, and writes nothing",
         "false",
         config::set_bool(dry_run),
         true}
    );
    into.add(config::deletion_deadline_option(deletion_deadline));
}

result<void> options::resolve()
{
    if (dry_run)
        lease.leader_elect = false;
    if (!discovery_service.service.name.empty() && gateway.gateway.name.empty())
        return fail(errc::invalid, "--discovery-service needs --gateway");
    return config::resolve_all(lease, gateway, lists);
}

}  // namespace portitor::controller

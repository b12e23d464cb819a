#include "roles/registrar/options.hpp"

#include <portitor/config/setters.hpp>

namespace portitor::registrar {

void options::declare(config::loader& into)
{
    lease.declare(into);
    into.under("Registrar")
        .add(
            {"until-done",
             "ends when every request that there is has been executed, as a Job does",
             "false",
             config::set_bool(until_done),
             true}
        );
}

}  // namespace portitor::registrar

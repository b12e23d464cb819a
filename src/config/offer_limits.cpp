#include <portitor/config/offer_limits.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::config {

void offer_limits::declare(loader& into)
{
    into.under("Limits").add(
        {"offers-per-namespace",
         "of one namespace so many offers are sold, the oldest ones; 0: all",
         "0",
         set_number(per_namespace)}
    );
}

}  // namespace portitor::config

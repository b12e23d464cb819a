#include "roles/kube_connection.hpp"

namespace portitor::roles {

kube::environment environment_of(const process& around, kube::api& server)
{
    return {around.executor, server, around.timers, around.clock, around.log, around.metrics, around.health};
}

}  // namespace portitor::roles

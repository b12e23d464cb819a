#include "roles/kube_connection.hpp"

namespace portitor::roles {

kube::environment environment_of(const process& around, kube::api& server)
{
    return environment_of(around, server, around.clock);
}

kube::environment environment_of(const process& around, kube::api& server, const clock& wall)
{
    return {around.executor, server, around.timers, wall, around.log, around.metrics, around.health};
}

}  // namespace portitor::roles

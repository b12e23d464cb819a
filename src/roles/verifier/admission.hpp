#pragma once

#include "roles/verifier/route_table.hpp"

#include <portitor/core/log.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/informer.hpp>
#include <portitor/kube/work_queue.hpp>

#include <random>

namespace portitor::verifier {

/// Writes into each PaymentRoute's status whether it is served: the first verdict for a generation, and true
/// over false. Replicas wait a random moment and write only what is still missing. Nothing here is on the way
/// of a request. One strand.
class admission_writer
{
public:
    admission_writer(
        kube::api& server,
        const kube::informer& routes,
        task_group& tasks,
        served_route::limits allowed,
        const clock& time,
        logger log,
        metrics& numbers
    );

    /// A route that has changed: its verdict may have to be written.
    void consider(const kube::object_key& route);

    /// Spawns the workers.
    void start();

    void close() { queue_.close(); }

private:
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<kube::api_result<void>> write(kube::object_ptr route);

    kube::api& server_;
    const kube::informer& routes_;
    task_group& tasks_;
    served_route::limits allowed_;
    const clock& time_;
    logger log_;
    kube::work_queue queue_;
    std::mt19937 random_;
};

}  // namespace portitor::verifier

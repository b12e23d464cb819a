#pragma once

#include "route/route_record.hpp"

#include <portitor/kube/controller.hpp>

#include <random>

namespace portitor::verifier {

/// Writes into each PaymentRoute's status whether it is served: the first verdict for a generation, and true
/// over false. Replicas wait a random moment and write only what is still missing. Nothing here is on the way
/// of a request. One strand.
class admission_writer
{
public:
    admission_writer(kube::api& server, const clock& time) : server_(server), time_(time) {}

    /// How long a change is left to the other replicas first.
    std::chrono::milliseconds patience();

    /// Writes the verdict where the status lacks it.
    boost::asio::awaitable<kube::reconcile_result> reconcile(std::shared_ptr<const route::route_record> route
    );

private:
    kube::api& server_;
    const clock& time_;
    std::mt19937 random_{std::random_device{}()};
};

}  // namespace portitor::verifier

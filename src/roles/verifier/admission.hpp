#pragma once

#include "route/admission_rule.hpp"

#include <portitor/kube/controller.hpp>

#include <string>

namespace portitor::verifier {

/// Writes into each PaymentRoute's status whether it is served, as a route::admission_rule decides. Replicas
/// wait a random moment, write only what is still missing, and only over what they have seen. Nothing here is
/// on the way of a request. One strand.
class admission_writer
{
public:
    /// `name` is what others are to call this verifier. The rest must outlive this.
    admission_writer(kube::api& server, const timekeeper& timers, const clock& wall, std::string name)
        : server_(server), wall_(wall), name_(std::move(name)), rule_(timers, wall)
    {}

    /// How long a change is left to the other replicas first.
    std::chrono::milliseconds patience() { return rule_.patience(); }

    /// Writes what the status lacks.
    boost::asio::awaitable<kube::reconcile_result> reconcile(std::shared_ptr<const route::route_record> route
    );

    /// The route is gone.
    void forget(const kube::object_key& route) { rule_.forget(route); }

private:
    kube::api& server_;
    const clock& wall_;
    std::string name_;
    route::admission_rule rule_;
};

}  // namespace portitor::verifier

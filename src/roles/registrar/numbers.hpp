#pragma once

#include "roles/registrar/account.hpp"
#include "roles/registrar/chain_links.hpp"

#include <portitor/core/metrics.hpp>

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace portitor::registrar {

/// What the registrar's alerts are made of: requests by phase and the age of the oldest one that is not at
/// its end, and of each account its balance and what it has spent today. One strand.
class numbers
{
public:
    /// All of them must outlive this.
    numbers(
        metrics& into,
        const clock& wall,
        const accounts& of,
        const chain_links& chains,
        std::function<std::vector<kube::object_ptr>()> all_requests
    );

private:
    void measure();
    void measure_requests();
    void measure_accounts();

    metrics& into_;
    const clock& wall_;
    const accounts& accounts_;
    const chain_links& chains_;
    std::function<std::vector<kube::object_ptr>()> all_requests_;
    metrics::collector collector_;
};

}  // namespace portitor::registrar

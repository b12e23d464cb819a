#include "route/route_counters.hpp"

#include <mutex>

namespace portitor::route {

void route_counters::add(outcome what)
{
    const cells* all = cells_.load(std::memory_order_acquire);
    counter* found =
        all != nullptr ? all->of[static_cast<std::size_t>(what)].load(std::memory_order_acquire) : nullptr;
    if (found == nullptr)
        found = &make(what);
    found->add();
}

counter& route_counters::make(outcome what)
{
    // One for all routes: it is taken once for each series, and there may be a hundred thousand routes.
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    cells* all = cells_.load(std::memory_order_relaxed);
    if (all == nullptr)
    {
        all = new cells();
        cells_.store(all, std::memory_order_release);
    }
    const auto index = static_cast<std::size_t>(what);
    if (!all->held[index])
        all->held[index] = registry_.shared_counter(
            "portitor_verify_requests_total",
            "Questions of the gateway by route and outcome",
            {{"route", route_}, {"outcome", to_string(what)}}
        );
    all->of[index].store(all->held[index].get(), std::memory_order_release);
    return *all->held[index];
}

}  // namespace portitor::route

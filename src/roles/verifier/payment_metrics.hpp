#pragma once

#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/guarded_facilitator.hpp>
#include <portitor/x402/payment_engine.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace portitor::verifier {

/// Carries the numbers of the engine's strand to where any thread may read them.
class payment_metrics
{
public:
    /// `names` has the operator's names of facilitators by URL. All of them must outlive this.
    payment_metrics(
        metrics& numbers,
        const x402::payment_engine& engine,
        const x402::payment_store& store,
        const x402::guarded_facilitator& facilitators,
        std::map<std::string, std::string> names
    );

    /// On the engine's strand. `up`: the record can be written.
    void publish(bool up);

private:
    void count(const char* event, std::uint64_t value);
    void publish_events();
    void publish_record(bool up);
    void publish_facilitators();
    void publish_trouble(const x402::facilitator_state& of, const std::string& name);

    metrics& numbers_;
    const x402::payment_engine& engine_;
    const x402::payment_store& store_;
    const x402::guarded_facilitator& facilitators_;
    std::map<std::string, std::string> names_;
};

/// Takes how long each write of the record took, as the stores tell it.
std::function<void(std::chrono::nanoseconds)> observe_writes(metrics& numbers);

}  // namespace portitor::verifier

#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/x402/guarded_facilitator.hpp>

#include <chrono>
#include <optional>
#include <vector>

namespace portitor::x402 {

/// Lets no call pass for a while after so many failures in a row; then one, to see. While it is open each
/// failed probe doubles the pause. One strand.
class circuit_breaker
{
public:
    using time_point = timekeeper::time_point;

    struct limits
    {
        unsigned failures = 5;
        std::chrono::seconds first{5};  ///< the first pause, and how long one probe keeps others waiting
        std::chrono::seconds most{60};
    };

    explicit circuit_breaker(const limits& bounds) : limits_(bounds) {}

    circuit_state state(time_point now) const;

    /// While half open: one probe of a proven caller at a time, and another's only where there is none.
    bool lets_pass(time_point now, bool proven) const;
    time_point open_until() const { return open_until_; }

    /// A call passes; whether it is a probe, which end_probe() must be told of.
    bool begin(time_point now, bool proven);
    void end_probe(bool proven);

    /// A call that is no probe and ends while the circuit is open began before: it tells nothing new. Of one
    /// payer (where one is told) only the first failure in a row counts.
    void failed(bool was_probe, time_point now, const std::optional<evm::address>& payer);
    void answered(bool was_probe);

    /// Nothing would be lost with it.
    bool forgettable() const { return !broken_ && row_ == 0; }

private:
    void open(time_point now, std::chrono::seconds pause);

    limits limits_;
    unsigned row_ = 0;
    std::vector<evm::address> payers_;  // whose failures are counted in the row
    bool broken_ = false;               // open or half open
    std::chrono::seconds pause_{0};
    time_point open_until_{};
    time_point proven_probe_until_{};  // one is under way; if it takes longer, another may begin
    time_point other_probe_until_{};
};

}  // namespace portitor::x402

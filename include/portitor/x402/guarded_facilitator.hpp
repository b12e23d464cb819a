#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/facilitator.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace portitor::x402 {

struct facilitator_limits
{
    std::size_t in_flight = 256;           ///< calls of one facilitator
    std::size_t verifies_in_flight = 192;  ///< of these; the rest is kept for settlements
    unsigned failures_to_open = 5;         ///< failures in a row
    std::chrono::seconds open_first{5};    ///< how long the circuit is open first; doubles with each probe
    std::chrono::seconds open_most{60};
    std::chrono::seconds hold_most{60};  ///< how long a facilitator may hold calls back by Retry-After
    std::chrono::seconds retry_busy{1};  ///< what is asked of buyers while all calls are taken
    std::size_t facilitators = 1'000;    ///< whose state is kept
};

enum class circuit_state
{
    closed,     ///< calls pass
    open,       ///< it failed too often: calls are answered at once
    half_open,  ///< one call may pass, to see
};

/// "closed", "open" or "half_open".
const char* to_string(circuit_state state) noexcept;

/// One facilitator as its guard sees it, for metrics.
struct facilitator_state
{
    std::string url;
    std::size_t in_flight = 0;
    circuit_state circuit = circuit_state::closed;
    bool held = false;           ///< it asked to wait
    std::uint64_t calls = 0;     ///< that were passed on
    std::uint64_t failures = 0;  ///< of these: not reached, no answer in time, or none that is one
    std::uint64_t rejected = 0;  ///< that were not passed on
};

/// Stands before another client and answers at once, as verify_unavailable or settle_not_sent with a
/// retry_after, what had better not be sent: calls beyond a limit (nothing queues), calls of a facilitator
/// that failed several times in a row (a circuit breaker: open, then half open for one probe at a time), and
/// calls of one that asked to wait. Each URL has a state of its own.
///
/// A failure is errc::unavailable, timed_out or protocol; any judgement of a payment is a success, and what
/// may be the payment's fault (a 4xx or 500 without a judgement) or ours is neither, so that no buyer can
/// open the circuit that way. Nothing is rejected for ever: each reason ends with time or with the calls in
/// flight.
///
/// One strand. The inner client and the timekeeper must outlive this, and this its operations.
class guarded_facilitator final : public facilitator_client
{
public:
    guarded_facilitator(
        facilitator_client& inner, const timekeeper& time, const facilitator_limits& limits = {}
    );
    ~guarded_facilitator() override;

    boost::asio::awaitable<verify_outcome> verify(
        std::string url,
        const payment& offered,
        const payment_requirement& wanted,
        facilitator_caller caller,
        std::chrono::milliseconds timeout
    ) override;

    boost::asio::awaitable<settle_outcome> settle(
        std::string url,
        const payment& offered,
        const payment_requirement& wanted,
        facilitator_caller caller,
        std::chrono::milliseconds timeout
    ) override;

    /// Every facilitator that was asked, in order of URL. One that has been idle may be missing, its counts
    /// with it, once there are too many.
    std::vector<facilitator_state> states() const;

private:
    enum class operation
    {
        verify,
        settle,
    };
    struct line;
    class permit;
    struct rejection;

    std::shared_ptr<line> line_to(const std::string& url);
    permit enter(const std::string& url, operation what);
    rejection judge(const line& to, operation what) const;

    facilitator_client& inner_;
    const timekeeper& time_;
    facilitator_limits limits_;
    std::map<std::string, std::shared_ptr<line>> lines_;  // by URL
};

}  // namespace portitor::x402

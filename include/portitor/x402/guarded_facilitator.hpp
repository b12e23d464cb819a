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
    std::size_t verifies_in_flight = 192;   ///< of one facilitator
    std::size_t settles_in_flight = 1'024;  ///< likewise; one may wait for its chain for two minutes
    unsigned failures_to_open = 5;          ///< failures in a row
    std::chrono::seconds open_first{5};     ///< how long a circuit is open first; doubles with each probe
    std::chrono::seconds open_most{60};
    std::chrono::seconds hold_most{60};  ///< how long a facilitator may hold calls back by Retry-After
    std::chrono::seconds retry_busy{1};  ///< what is asked of buyers while all calls are taken
    std::size_t facilitators = 1'000;    ///< whose state is kept
    std::size_t offers = 10'000;         ///< likewise, of one facilitator
    std::size_t holds = 4'096;           ///< likewise: who is held
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
    bool held = false;                ///< it asked several namespaces to wait: all wait
    std::size_t offers_open = 0;      ///< offers whose own circuit is not closed
    std::uint64_t calls = 0;          ///< that were passed on
    std::uint64_t unreached = 0;      ///< of these, by facilitator_trouble
    std::uint64_t slow = 0;           ///< likewise
    std::uint64_t no_answer = 0;      ///< likewise
    std::uint64_t redirects = 0;      ///< likewise
    std::uint64_t credentials = 0;    ///< likewise
    std::uint64_t rejected_busy = 0;  ///< not passed on: too many under way
    std::uint64_t rejected_held = 0;  ///< not passed on: it asked to wait
    std::uint64_t rejected_open = 0;  ///< not passed on: a circuit is open

    std::uint64_t failures() const { return unreached + slow + no_answer + redirects + credentials; }
    std::uint64_t rejected() const { return rejected_busy + rejected_held + rejected_open; }
};

/// Stands before another client and answers at once, as verify_unavailable or settle_not_sent with a
/// retry_after, what had better not be sent. Each URL has a state of its own, and what one payer, offer or
/// namespace brings about holds up only itself:
///  - Calls under way are bounded, verifies and settles each by themselves, and shared fairly: nobody gets
///    more while others could not get theirs (fair_places). Nothing queues.
///  - A circuit of the whole facilitator is opened only by what no payment can bring about: that it is not
///    reached several times in a row (its name, its address, its TLS). Any answer closes it.
///  - A circuit of each offer is opened by answers that are late or none, several in a row, each to another
///    payer whose signature was proven.
///  - An open circuit is half open after a pause: one call passes, to see; one that is proven does not wait
///    for one that is not.
///  - Who is told to wait (429, 503 with Retry-After) waits; others only once several are told so
///    (held_callers). A settlement waits only for what settlements were told.
/// Nothing is rejected for ever: each reason ends with time or with the calls in flight.
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
    struct line;
    class permit;

    std::shared_ptr<line> line_to(const std::string& url);
    permit enter(const std::string& url, const facilitator_caller& caller, bool settles);

    facilitator_client& inner_;
    const timekeeper& time_;
    facilitator_limits limits_;
    std::map<std::string, std::shared_ptr<line>> lines_;  // by URL
};

}  // namespace portitor::x402

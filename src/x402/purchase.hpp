#pragma once

#include "x402/held_claim.hpp"

#include <portitor/x402/gate.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

namespace portitor::x402 {

/// A claim that is being worked on. It outlives the request that began it.
struct purchase
{
    using time_point = std::chrono::steady_clock::time_point;

    purchase(
        const boost::asio::any_io_executor& executor, const payment& what, claim_key claim, time_point until
    )
        : offered(what), key(std::move(claim)), deadline(until), over(executor, until)
    {}

    payment offered;
    std::shared_ptr<const claim_terms> terms;
    claim_key key;
    std::uint64_t began = 0;         ///< when the claim was made, in Unix seconds
    time_point deadline;             ///< of its buyer
    bool settling = false;           ///< the money may move, or have moved
    bool alone = false;              ///< its buyer has been told to come again
    std::optional<verdict> made;     ///< what came of it
    boost::asio::steady_timer over;  ///< wakes its buyer, at the deadline at the latest

    const payment_requirement& wanted() const { return terms->wanted; }

    /// Until the deadline.
    std::chrono::milliseconds left() const
    {
        using std::chrono::milliseconds;
        const auto until = std::chrono::duration_cast<milliseconds>(deadline - time_point::clock::now());
        return std::max(milliseconds(0), until);
    }
};

/// Asks facilitator and chain about the purchase that it is given, and reports what came of it to its claim.
/// One strand; all that it is given must outlive its operations, the claims excepted.
class settler
{
public:
    settler(
        facilitator_client& facilitator,
        std::shared_ptr<claim_table> claims,
        const clock& time,
        const gate_limits& limits,
        settlement_chain* chain,
        gate_counters& counters
    )
        : facilitator_(facilitator), claims_(std::move(claims)), clock_(time), limits_(limits), chain_(chain),
          counters_(counters)
    {}

    /// For a claim that is new.
    boost::asio::awaitable<verdict> verify_and_settle(purchase& work);

    /// For one that an earlier request left unknown.
    boost::asio::awaitable<verdict> resolve(purchase& work, settle_history history);

private:
    boost::asio::awaitable<verdict> settle(purchase& work, held_claim& claim);
    boost::asio::awaitable<settlement_finding> ask_chain(const purchase& work, bool in_doubt);
    verdict conclude(
        ruling ruled,
        const purchase& work,
        held_claim& claim,
        const settle_outcome& outcome,
        const settlement_finding& found
    );
    verdict without_verdict(const settle_outcome& outcome, const settlement_finding& found) const;
    verdict
    grant(const purchase& work, held_claim& claim, const boost::json::object& receipt, claim_proof proof);
    std::chrono::seconds wait_for(std::chrono::seconds asked) const;

    facilitator_client& facilitator_;
    std::shared_ptr<claim_table> claims_;
    const clock& clock_;
    gate_limits limits_;
    settlement_chain* chain_;
    gate_counters& counters_;
};

}  // namespace portitor::x402

#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/x402/claims.hpp>
#include <portitor/x402/facilitator.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>

namespace portitor::x402 {

/// Why there is no verdict on a payment yet.
enum class unavailable_cause
{
    busy,                ///< too many payments, or too many copies of this one, or no time left
    facilitator,         ///< not reached, or no answer in time; nothing was settled
    facilitator_broken,  ///< it answered something that it must not; nothing was settled (502 rather than
                         ///< 503)
    settlement_unknown,  ///< the money may have moved; the same payment, sent again, resolves it
    internal,            ///< a broken invariant here
};

/// "busy", "facilitator", … as metrics name it.
const char* to_string(unavailable_cause cause) noexcept;

/// No verdict: the buyer should send the same payment again after `retry_after`. Never an invitation to pay
/// anew.
struct verdict_unavailable
{
    verdict_unavailable() = default;
    verdict_unavailable(unavailable_cause what, std::chrono::seconds wait, std::string text)
        : cause(what), retry_after(wait), why(std::move(text))
    {}
    unavailable_cause cause = unavailable_cause::internal;
    std::chrono::seconds retry_after{1};
    std::string why;  ///< for the log: it may name the facilitator
};

/// Settled, and the answer is the caller's to give. Until gate::delivered() or undelivered() is told, copies
/// of the payment wait: hold a delivery_guard from here to the end of the write.
struct verdict_paid
{
    verdict_paid(claim_key claim, evm::address from, std::string header, bool repeated)
        : key(std::move(claim)), payer(from), receipt(std::move(header)), again(repeated)
    {}
    claim_key key;
    evm::address payer;
    std::string receipt;  ///< value of receipt_header(version): base64 of a SettleResponse
    bool again = false;   ///< settled by an earlier request whose answer was lost
};

/// Not settled and not going to be: ask for a payment again, with this reason as the error.
struct verdict_payment_required
{
    explicit verdict_payment_required(std::string why) : reason(std::move(why)) {}
    std::string reason;  ///< a code; may be shown
};

/// The payment has bought what it could, here or elsewhere: refuse (409) without asking for another.
struct verdict_already_used
{
    explicit verdict_already_used(std::string header) : receipt(std::move(header)) {}
    std::string receipt;  ///< as in verdict_paid; empty where none is known
};

using verdict =
    std::variant<verdict_unavailable, verdict_paid, verdict_payment_required, verdict_already_used>;

/// What became of the payments so far, for metrics.
struct gate_counters
{
    std::uint64_t paid = 0;
    std::uint64_t paid_again = 0;  ///< grants for a payment settled earlier
    std::uint64_t payment_required = 0;
    std::uint64_t already_used = 0;
    std::uint64_t busy = 0;
    std::uint64_t facilitator_unavailable = 0;  ///< both causes
    std::uint64_t settlement_unknown = 0;
    std::uint64_t internal = 0;
    std::uint64_t settle_retries = 0;  ///< second settlements within one request
    std::uint64_t resolutions = 0;     ///< settlements tried for a claim left unknown by an earlier request
    std::uint64_t chain_lookups = 0;   ///< questions to the chain about a settlement in doubt
    std::uint64_t chain_settled = 0;   ///< of these: it was settled, and is granted
    std::uint64_t chain_over = 0;      ///< of these: it can never settle any more
};

struct gate_limits
{
    /// For one payment, whatever the caller's deadline: Traefik gives up on a ForwardAuth answer at 30 s.
    std::chrono::milliseconds total{20'000};
    std::chrono::milliseconds verify{5'000};
    /// Kept back from the first settlement for the second one.
    std::chrono::milliseconds settle_again{5'000};
    /// A settlement is not begun with less time left.
    std::chrono::milliseconds settle_least{1'000};
    /// Kept back from every settlement for the chain, where one is configured.
    std::chrono::milliseconds chain{4'000};
    /// The chain is not asked with less time left.
    std::chrono::milliseconds chain_least{500};
    std::chrono::seconds retry_busy{1};
    std::chrono::seconds retry_facilitator{5};
};

/// Reports that an answer was not delivered, unless told that it was: hold one while writing it.
class delivery_guard
{
public:
    delivery_guard() = default;
    delivery_guard(std::shared_ptr<claim_table> claims, claim_key key)
        : claims_(std::move(claims)), key_(std::move(key))
    {}
    delivery_guard(delivery_guard&& other) noexcept = default;
    delivery_guard& operator=(delivery_guard&& other) noexcept;
    ~delivery_guard();

    /// The answer was written to a live connection without error.
    void delivered();

private:
    std::shared_ptr<claim_table> claims_;
    claim_key key_;
};

/// Turns a payment into a verdict: claim, verify, settle. Knows nothing of how the request came or how it is
/// answered. One strand, the one of its claims. It must outlive its operations; the claims may outlive it.
class gate
{
public:
    /// The facilitator, the clock and the chain, if there is one, must outlive this.
    gate(
        facilitator_client& facilitator,
        std::shared_ptr<claim_table> claims,
        const clock& time,
        gate_limits limits = {},
        settlement_chain* chain = nullptr
    );

    /// The verdict on a payment that match() found to pay `wanted`; both must live until then. The binding's
    /// signature is filled in here. The time
    /// window is judged here, for new claims only. Ends by `deadline` (as exactly as the facilitator client
    /// keeps its timeouts) and reports failures as verdicts. Cancellation of the caller does not reach it: a
    /// settlement that began is finished and recorded though the buyer hung up, so await it where
    /// limits.total may be spent.
    ///
    /// Verify failed to answer: the claim is released, nothing was settled. Settle was not sent: likewise.
    /// Settle is unknown: it is tried once more, then the chain is asked, then the claim is left unknown for
    /// the next copy to resolve in the same way: the facilitator first, then the chain. From the first
    /// unknown settlement on no refusal of the facilitator leads to verdict_payment_required, because the
    /// refusal (say, for lack of funds) may be the consequence of the first settlement; once the payment has
    /// expired it is already_used. Only the chain can tell that the payment is dead and may be made anew.
    /// What it found settled is granted, canceled or used for something else is already_used; open and
    /// cannot_tell leave it to the facilitator's word, except that a facilitator's already_used for what is
    /// open on the chain (it may be about to be mined) leaves the claim unknown.
    boost::asio::awaitable<verdict>
    pay(const payment& offered,
        const payment_requirement& wanted,
        std::string facilitator_url,
        claim_binding binding,
        std::chrono::steady_clock::time_point deadline);

    /// How the answer to a verdict_paid went.
    void delivered(const claim_key& key) { claims_->delivered(key); }
    void undelivered(const claim_key& key) { claims_->undelivered(key); }
    delivery_guard guard_delivery(const verdict_paid& paid) const { return {claims_, paid.key}; }

    const gate_counters& counters() const noexcept { return counters_; }

private:
    struct job;
    class held_claim;

    boost::asio::awaitable<verdict> judge(job& work);
    boost::asio::awaitable<verdict> wait_or_own(job& work);
    boost::asio::awaitable<verdict> verify_and_settle(job& work);
    boost::asio::awaitable<verdict> resolve(job& work);
    boost::asio::awaitable<settle_outcome> settle(job& work, std::chrono::milliseconds keep_back);
    boost::asio::awaitable<verdict>
    ask_and_conclude(job& work, held_claim& claim, const settle_outcome& outcome, bool in_doubt);
    verdict conclude(job& work, held_claim& claim, const settle_outcome& outcome, bool in_doubt);
    verdict grant(job& work, held_claim& claim, const boost::json::object& receipt);
    std::chrono::seconds wait_for(std::chrono::seconds asked) const;
    std::chrono::milliseconds chain_share() const;
    void count(const verdict& made);

    facilitator_client& facilitator_;
    std::shared_ptr<claim_table> claims_;
    const clock& clock_;
    gate_limits limits_;
    settlement_chain* chain_;
    gate_counters counters_;
};

}  // namespace portitor::x402

#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/x402/claims.hpp>
#include <portitor/x402/facilitator.hpp>
#include <portitor/x402/match.hpp>
#include <portitor/x402/payment_record.hpp>
#include <portitor/x402/settlement_chain.hpp>
#include <portitor/x402/settlement_rules.hpp>
#include <portitor/x402/verdict.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace portitor::x402 {

struct purchase;
class settler;

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
    std::uint64_t table_full = 0;      ///< of busy: there was no room for another claim
    std::uint64_t payer_full = 0;      ///< of busy: the payer had his share of the claims
    std::uint64_t settled_late = 0;    ///< settled after the buyer was told to come again
    std::uint64_t unproven = 0;        ///< granted on a used nonce after doubt, as nobody could tell more
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
    /// How long a settlement is waited for, whether or not its buyer still waits. Facilitators wait for the
    /// receipt themselves, on a slow chain for minutes.
    std::chrono::milliseconds settle{120'000};
    /// A settlement is not begun with less time left for its buyer.
    std::chrono::milliseconds settle_least{1'000};
    std::chrono::milliseconds chain{4'000};
    payment_validity validity = {};
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
/// answered. One strand, the one of its claims. It must outlive its operations, those of finish() included;
/// the claims may outlive it.
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
    ~gate();

    /// The verdict on a payment that match() found to pay `wanted`; both must live until then. The binding is
    /// sealed here. The time window is judged here, for new claims only. Ends by `deadline` and reports
    /// failures as verdicts. Cancellation of the caller does not reach it. A settlement that began goes on in
    /// the background where the deadline comes first: the buyer is told to come again, and whoever sends the
    /// same payment then gets the grant.
    ///
    /// Verify failed to answer: the claim is released, nothing was settled. Settle was not sent: likewise.
    /// Settle is in doubt: the chain is asked, then it is tried once more, then the claim is left unknown for
    /// the next copy to resolve in the same way. settlement_rules.hpp says what follows from which answer.
    /// What is known already is followed with the terms that it was claimed with.
    boost::asio::awaitable<verdict>
    pay(const payment& offered,
        const payment_requirement& wanted,
        std::string facilitator_url,
        claim_binding binding,
        std::chrono::steady_clock::time_point deadline);

    /// The verdict on a payment that may have been claimed under one of these keys, on whatever terms; as
    /// pay(), but empty where it is not known. Where it is known for another purchase it is already used.
    boost::asio::awaitable<std::optional<verdict>> pay_known(
        const payment& offered,
        std::vector<claim_key> keys,
        claim_binding binding,
        std::chrono::steady_clock::time_point deadline
    );

    /// Returns when no settlement is under way in the background any more. Those that are at the deadline are
    /// not waited for any longer: what became of them is unknown. One caller.
    boost::asio::awaitable<void> finish(std::chrono::steady_clock::time_point deadline);

    /// How the answer to a verdict_paid went.
    void delivered(const claim_key& key) { claims_->delivered(key); }
    void undelivered(const claim_key& key) { claims_->undelivered(key); }
    delivery_guard guard_delivery(const verdict_paid& paid) const { return {claims_, paid.key}; }

    const gate_counters& counters() const noexcept { return counters_; }

private:
    struct question;
    struct activity;

    boost::asio::awaitable<std::optional<verdict>> pay_apart(question asked);
    boost::asio::awaitable<std::optional<verdict>> judge(const question& asked);
    boost::asio::awaitable<std::optional<verdict>> wait_or_own(const question& asked);
    boost::asio::awaitable<verdict> wait_for_owner(std::shared_ptr<purchase> work);
    boost::asio::awaitable<void> own(std::shared_ptr<purchase> work, bool is_new, settle_history history);
    void count(const verdict& made);

    std::shared_ptr<claim_table> claims_;
    const clock& clock_;
    gate_limits limits_;
    gate_counters counters_;
    std::shared_ptr<activity> activity_;
    std::unique_ptr<settler> settler_;
};

}  // namespace portitor::x402

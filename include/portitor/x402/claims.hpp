#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/payment_key.hpp>
#include <portitor/x402/requirement.hpp>
#include <portitor/x402/settlement_rules.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace portitor::x402 {

using claim_key = payment_key;

/// What a payment buys. The same payment with another binding is another purchase, which it does not cover.
struct claim_binding
{
    std::string offer;
    std::string method;
    std::string uri;
    /// The payment's own, as seal() puts it: who knows only what the chain shows of a payment must not get
    /// its grant.
    std::string signed_content = {};
    /// Of the request that made the claim, for the log; never compared. Empty where there is none.
    std::string request_id = {};

    /// Takes over what the payer signed and the signature itself.
    void seal(const payment& offered);
};

/// What a payment was taken for. It is kept with the claim, so that a settlement is repeated as it was begun,
/// whatever the seller's terms are by then.
struct claim_terms
{
    payment_requirement wanted;
    std::string facilitator_url;
    std::string offer;
    std::string request_id;
};

/// How a settled payment was proved.
struct claim_proof
{
    std::string transaction;  ///< empty where nobody told it
    bool proven = true;       ///< the facilitator or the chain said that it is settled
};

/// What a caller that brings a payment has to do.
enum class claim_step
{
    proceed,        ///< the claim is the caller's: verify, settle, and report
    resolve,        ///< the claim is the caller's, but it may be settled already: settle again, and report
    wait,           ///< another caller has it: await changed() and begin again
    granted_again,  ///< settled, and the answer to it was never delivered: hand out the grant, report its
                    ///< delivery
    used,           ///< it has bought what it could
    full,           ///< no room for another claim
};

/// As claim_table::begin() found it.
struct claim_answer
{
    explicit claim_answer(claim_step what, std::string kept = {}) : step(what), receipt(std::move(kept)) {}
    claim_step step;
    std::string
        receipt;  ///< for granted_again and used: the receipt header's value, empty where none is known
    // For proceed and resolve.
    std::shared_ptr<const claim_terms> terms;  ///< as the claim was made with
    settle_history history;
    std::uint64_t began = 0;  ///< when the claim was made, in Unix seconds
    // For full.
    bool payer_full = false;  ///< it is the payer's share that is spent, not the table
};

/// What is known of a payment that comes again.
enum class claim_match
{
    none,   ///< it is not known
    same,   ///< known, for the same purchase
    other,  ///< known, but for another purchase
};

/// A claim whose end is worth a line in the log.
struct claim_report
{
    enum class event
    {
        delivered,    ///< its answer was written
        undelivered,  ///< settled, and its answer was lost; told once for a claim
        forgotten,    ///< dropped, with its time over, before that had come to an end
        left,         ///< the process ends before that has
    };
    event what;
    const char* state;  ///< as claim_counts names it
    const claim_key& key;
    const claim_terms* terms;  ///< null where it was made without
    const claim_proof& proof;
};
using claim_listener = std::function<void(const claim_report&)>;

enum class claim_wait
{
    changed,   ///< begin again
    expired,   ///< the deadline has passed
    too_many,  ///< others wait already, as many as may
};

struct claim_limits
{
    std::size_t max_claims = 100'000;
    /// Of one payer, as far as they cannot make room: one payer alone cannot fill the table.
    std::size_t max_of_payer = 10'000;
    std::size_t max_waiters = 64;     ///< for one claim
    std::chrono::seconds margin{60};  ///< how long after its validBefore an open claim is kept at least
};

/// How many claims are in each state.
struct claim_counts
{
    std::size_t verifying = 0;    ///< claimed, and no settlement has begun
    std::size_t settling = 0;     ///< being settled, or resolved
    std::size_t granted = 0;      ///< settled, and the answer is being written
    std::size_t undelivered = 0;  ///< settled, and the answer was lost: the next copy gets the grant
    std::size_t used = 0;
    std::size_t unknown = 0;
};

/// The payments that were seen, so that each is settled once and buys one delivered answer.
///
///     (none) --begin--> verifying --settling--> settling --settled--> granted --delivered--> used
///                           |                    |    ^                |   ^
///           release: (none)-+--------------------+    | begin     undelivered: settled --begin
///           (granted_again)
///                                                +--> unknown (resolve)
///
/// Verifying and settling are both in flight: every report is taken in either.
///
/// Bounded. In a full table a used claim makes room for a new one, the one that expires first: the chain
/// refuses its nonce, so that it is not sold again. Where there is none, an unknown or undelivered one does
/// whose validBefore plus margin has passed. A table that is full of others takes no more, nor does one for a
/// payer who has his share of those. Terms are dropped with the use and bindings are kept as digests, so a
/// used claim takes about 1 kB. One strand. The table must outlive the coroutines that wait in changed(); the
/// rest suspends nowhere and is atomic.
class claim_table
{
public:
    explicit claim_table(claim_limits limits = {});
    claim_table(const claim_table&) = delete;
    claim_table& operator=(const claim_table&) = delete;

    /// Takes the claim, or says why not. `valid_before` in Unix seconds.
    claim_answer begin(
        const claim_key& key,
        const claim_binding& binding,
        const u256& valid_before,
        clock::time_point now,
        std::shared_ptr<const claim_terms> terms = {}
    );

    /// Whether the payment is known, and for what. Another one with its nonce is not. Changes nothing.
    claim_match look_up(const claim_key& key, const claim_binding& binding) const;

    /// Whether the claim is being settled, or was and is being answered: it may have been paid for.
    bool may_be_settled(const claim_key& key) const;

    /// The claim's terms; null where there is none, or no claim.
    std::shared_ptr<const claim_terms> terms_of(const claim_key& key) const;

    /// Hears of each settled payment. On this strand, and it must not call back.
    void on_report(claim_listener listener) { listener_ = std::move(listener); }

    /// Tells the listener of all claims whose end is not known or not delivered, at the end of the process.
    void report_left() const;

    /// Reports of the claim's holder. A report about a claim that is not in the state that it ends is
    /// ignored.
    void settling(const claim_key& key);  ///< a settlement begins
    void release(const claim_key& key);   ///< surely not settled: forget it
    /// Settled; the holder now answers. `receipt` is the receipt header's value.
    void settled(const claim_key& key, std::string receipt, claim_proof proof = {});
    /// Nobody knows; the next copy resolves, in doubt whatever `history` says.
    void unknown(const claim_key& key, settle_history history = {});
    void used(const claim_key& key);         ///< was settled before and elsewhere: never grant it
    void delivered(const claim_key& key);    ///< the answer was written
    void undelivered(const claim_key& key);  ///< it was not: the next copy gets the grant

    /// Suspends until the claim changes its state. Cancellation ends it early, as `expired`.
    boost::asio::awaitable<claim_wait> changed(claim_key key, std::chrono::steady_clock::time_point deadline);

    std::size_t size() const noexcept { return claims_.size(); }
    std::size_t capacity() const noexcept { return limits_.max_claims; }
    claim_counts counts() const noexcept;

private:
    enum class state
    {
        verifying,
        settling,
        granted,
        settled,
        used,
        unknown,
    };

    using digest = std::array<std::uint8_t, 32>;

    struct waiter
    {
        boost::asio::steady_timer* timer = nullptr;
        bool woken = false;
    };

    // Shared with the waiters, who outlive a released claim.
    using waiters = std::list<waiter*>;

    using by_expiry = std::multimap<std::uint64_t, claim_key>;

    struct claim
    {
        claim_table::state state = state::verifying;
        bool undelivered_told = false;
        digest binding{};
        digest content{};           // what was signed, and the signature
        std::uint64_t began = 0;    // Unix seconds
        std::uint64_t expires = 0;  // Unix seconds, margin included
        std::string receipt;
        claim_proof proof;
        settle_history history;
        std::shared_ptr<const claim_terms> terms;
        std::shared_ptr<waiters> waiting;
        by_expiry::iterator over;  // into the list of its state, where that has one
    };

    using claim_map = std::unordered_map<std::string, claim>;

    static digest digest_of(const claim_binding& binding);
    static digest content_of(const claim_binding& binding);
    static bool in_flight(state which) noexcept;
    static const char* name_of(state which) noexcept;

    const claim* find(const claim_key& key) const;
    claim* find_in_flight(const claim_key& key);
    claim* find_granted(const claim_key& key);
    by_expiry* list_of(state which) noexcept;
    void enter(const claim_key& key, claim& which, state next);
    void forget(const claim_key& key, claim& which);
    void count_payer(const claim_key& key, int change);
    void report(claim_report::event what, const claim_key& key, const claim& which) const;
    void wake(claim& which);
    std::size_t& count_of(state which) noexcept;
    bool make_room(clock::time_point now);
    bool payer_is_full(const claim_key& key) const;

    claim_limits limits_;
    claim_listener listener_;
    claim_map claims_;
    by_expiry used_;  // these make room first
    by_expiry open_;  // unknown and undelivered: they make room when they have expired
    std::unordered_map<std::string, std::size_t> of_payer_;  // claims that are not used, by payer
    std::array<std::size_t, 6> in_state_{};
};

}  // namespace portitor::x402

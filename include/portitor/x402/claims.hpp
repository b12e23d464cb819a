#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace portitor::x402 {

/// Identifies one payment: what a chain lets happen once. Network, token contract (for Permit2 the Permit2
/// contract, because the nonces are its own), payer and nonce, in one spelling each.
class claim_key
{
public:
    claim_key() = default;
    claim_key(
        std::string_view network, std::string_view asset, std::string_view payer, std::string_view nonce
    );

    const std::string& text() const noexcept { return text_; }
    bool operator==(const claim_key&) const = default;

private:
    std::string text_;
};

/// The key of a payment that match() found to pay `wanted`.
claim_key key_of(const payment& offered, const payment_requirement& wanted);

/// What a payment buys. The same payment with another binding is another purchase, which it does not cover.
struct claim_binding
{
    std::string offer;
    std::string method;
    std::string uri;
    /// The payment's own: who knows only what the chain shows of a payment must not get its grant.
    std::string signature = {};
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
};

enum class claim_wait
{
    changed,   ///< begin again
    expired,   ///< the deadline has passed
    too_many,  ///< others wait already, as many as may
};

struct claim_limits
{
    std::size_t max_claims = 100'000;
    std::size_t max_waiters = 64;        ///< for one claim
    std::chrono::seconds margin{3'600};  ///< how long after its validBefore a claim is kept at least
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
/// Bounded: claims that are over (used, settled, unknown) and whose validBefore plus margin has passed make
/// room for new ones; a table full of others takes no more, because a forgotten claim could be sold twice.
/// Bindings are kept as digests, so a claim takes about 1 kB. One strand. The table must outlive the
/// coroutines that wait in changed(); the rest suspends nowhere and is atomic.
class claim_table
{
public:
    explicit claim_table(claim_limits limits = {});
    claim_table(const claim_table&) = delete;
    claim_table& operator=(const claim_table&) = delete;

    /// Takes the claim, or says why not. `valid_before` in Unix seconds.
    claim_answer begin(
        const claim_key& key, const claim_binding& binding, const u256& valid_before, clock::time_point now
    );

    /// Reports of the claim's holder. A report about a claim that is not in the state that it ends is
    /// ignored.
    void settling(const claim_key& key);                      ///< a settlement begins
    void release(const claim_key& key);                       ///< surely not settled: forget it
    void settled(const claim_key& key, std::string receipt);  ///< settled; the holder now answers
    void unknown(const claim_key& key);                       ///< nobody knows; the next copy resolves
    void used(const claim_key& key);         ///< was settled before and elsewhere: never grant it
    void delivered(const claim_key& key);    ///< the answer was written
    void undelivered(const claim_key& key);  ///< it was not: the next copy gets the grant

    /// Suspends until the claim changes its state. Cancellation ends it early, as `expired`.
    boost::asio::awaitable<claim_wait> changed(claim_key key, std::chrono::steady_clock::time_point deadline);

    std::size_t size() const noexcept { return claims_.size(); }
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

    struct claim
    {
        claim_table::state state = state::verifying;
        digest binding{};
        std::uint64_t expires = 0;  // Unix seconds, margin included
        std::string receipt;
        std::shared_ptr<waiters> waiting;
        std::multimap<std::uint64_t, std::string>::iterator
            over;  // into over_, in the states that may be evicted
    };

    using claim_map = std::unordered_map<std::string, claim>;

    static digest digest_of(const claim_binding& binding);
    static bool evictable(state which) noexcept;
    static bool in_flight(state which) noexcept;

    claim* find_in_flight(const claim_key& key);
    claim* find_granted(const claim_key& key);
    void enter(const std::string& key, claim& which, state next);
    void wake(claim& which);
    std::size_t& count_of(state which) noexcept;
    bool make_room(clock::time_point now);

    claim_limits limits_;
    claim_map claims_;
    std::multimap<std::uint64_t, std::string> over_;  // by expiry
    std::array<std::size_t, 6> in_state_{};
};

}  // namespace portitor::x402

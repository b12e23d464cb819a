#pragma once

#include <portitor/x402/claims.hpp>
#include <portitor/x402/facilitator.hpp>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace portitor::x402 {

/// The payment is settled and this caller may hand out what it buys. delivered() must follow.
struct paid
{
    std::string claim;           ///< for gate::delivered()
    std::string payer;           ///< "0x" and 40 lower-case digits
    std::string transaction;     ///< hash
    std::string receipt_header;  ///< base64 of the SettleResponse
};

/// Nothing was settled, and another payment may be asked for.
struct not_paid
{
    explicit not_paid(std::string why) : reason(std::move(why)) {}
    std::string reason;  ///< a code of x402; may be shown
};

/// The payment has been spent. Nobody may be asked to pay again because of it.
struct already_used
{
    explicit already_used(std::string of) : receipt_header(std::move(of)) {}
    std::string receipt_header;  ///< empty where the receipt is not known here
};

/// There is no verdict now; the same payment may be sent again later. Nobody may be asked to pay again.
struct unavailable
{
    explicit unavailable(std::string what) : why(std::move(what)) {}
    std::string why;  ///< for the log and the client; says nothing of internals
    std::chrono::seconds retry_after{2};
};

using verdict = std::variant<unavailable, already_used, not_paid, paid>;

/// Turns a payment that has been matched into a verdict: claim, verify, settle; each payment settles at most once
/// and buys one delivered answer. Knows nothing of how the question came in. One strand.
class gate
{
public:
    /// Hears of each step and how it ended, for metrics: ("verify", "valid"), ("settle", "unknown")…
    using observer = std::function<void(std::string_view step, std::string_view outcome)>;

    gate(facilitator_client& facilitator, claim_table& claims, const clock& time, observer on_step)
        : facilitator_(facilitator), claims_(claims), time_(time), on_step_(std::move(on_step))
    {
    }

    /// Ends within 20 s, so that the proxy before us (30 s at Traefik) hears of it. The references must outlive the
    /// operation. Whatever happens, a payment that may have been settled is remembered as such.
    boost::asio::awaitable<verdict> pay(
        const payment& offered, const payment_requirement& wanted, std::string facilitator_url, claim_binding binding
    );

    /// Whether the answer that a `paid` led to was written to a live connection.
    void delivered(const std::string& claim, bool success) { claims_.delivered(claim, success); }

private:
    using deadline = std::chrono::steady_clock::time_point;
    struct work;

    boost::asio::awaitable<verdict> verify_and_settle(const work& todo);
    boost::asio::awaitable<verdict> settle(const work& todo, bool outcome_was_unknown);
    verdict grant(const std::string& key, const payment& offered) const;

    facilitator_client& facilitator_;
    claim_table& claims_;
    const clock& time_;
    observer on_step_;
};

}  // namespace portitor::x402

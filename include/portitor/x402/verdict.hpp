#pragma once

#include <portitor/evm/address.hpp>
#include <portitor/x402/payment_key.hpp>
#include <portitor/x402/payment_record.hpp>

#include <chrono>
#include <functional>
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
    store,               ///< the record of payments is away; nothing was begun without it
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

/// The right to answer a settled payment, on record as `delivering`: copies of the payment wait until it is
/// told or gone. Hold it from the verdict to the end of the write. Move-only; it may be told, and may go, on
/// any thread, but not after the executor of its engine. One that goes without having been told counts as
/// not delivered: the next copy gets the grant.
class delivery
{
public:
    using report = std::function<void(bool written)>;

    delivery() = default;
    explicit delivery(report told) : told_(std::move(told)) {}
    delivery(delivery&& other) noexcept : told_(std::exchange(other.told_, nullptr)) {}
    delivery& operator=(delivery&& other) noexcept
    {
        // The old one goes with `other`, which reports it at its end.
        std::swap(told_, other.told_);
        return *this;
    }
    ~delivery()
    {
        if (told_)
            told_(false);
    }

    /// The answer was written to a live connection without error.
    void delivered()
    {
        if (const report told = std::exchange(told_, nullptr))
            told(true);
    }

private:
    report told_;
};

/// Settled, and the answer is the caller's to give.
struct verdict_paid
{
    verdict_paid(payment_key what, evm::address from, std::string header, bool repeated, delivery right = {})
        : key(std::move(what)), payer(from), receipt(std::move(header)), again(repeated),
          answer(std::move(right))
    {}
    payment_key key;
    evm::address payer;
    std::string receipt;  ///< value of receipt_header(version): base64 of a SettleResponse
    bool again = false;   ///< settled by an earlier request whose answer was lost
    delivery answer;
};

/// Not settled and not going to be: ask for a payment again, with this reason as the error.
struct verdict_payment_required
{
    explicit verdict_payment_required(std::string why, std::string details = {})
        : reason(std::move(why)), message(std::move(details))
    {}
    std::string reason;   ///< a code; may be shown
    std::string message;  ///< what a code cannot say; may be shown, may be empty
};

/// The payment can buy nothing here any more: refuse (409) without asking for another.
struct verdict_already_used
{
    explicit verdict_already_used(std::string header, used_cause why = used_cause::sold)
        : receipt(std::move(header)), cause(why)
    {}
    std::string receipt;  ///< as in verdict_paid; empty where none is known
    used_cause cause;
};

using verdict =
    std::variant<verdict_unavailable, verdict_paid, verdict_payment_required, verdict_already_used>;

}  // namespace portitor::x402

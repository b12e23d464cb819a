#pragma once

#include <portitor/http/message.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <variant>

/// The facilitator's API (x402 v2 section 7): POST {base}/verify and POST {base}/settle.
/// Its answers are values, not errors: each says how much is known about the money.
namespace portitor::x402 {

/// What is wrong with a facilitator, where its answer, or that there is none, shows it.
enum class facilitator_trouble : std::uint8_t
{
    none,         ///< nothing, or nothing that is the facilitator's own
    unreached,    ///< no connection: its name, its address or its TLS
    slow,         ///< no answer in time, or the connection broke
    no_answer,    ///< what it answers is no answer of a facilitator
    redirect,     ///< it answers from another address: the operator's to mend
    credentials,  ///< it wants to know who asks (401, 403): the operator's to mend
};

/// "unreached", "slow", …: for metrics.
const char* to_string(facilitator_trouble trouble) noexcept;

/// The payment would settle now. Nothing is reserved by it.
struct verify_valid
{};

/// The facilitator judged the payment and refuses it.
struct verify_invalid
{
    explicit verify_invalid(std::string why) : reason(std::move(why)) {}
    std::string reason;  ///< a code, printable; may be shown
};

/// There is no judgement. Nothing was settled.
struct verify_unavailable
{
    verify_unavailable() : failure(errc::protocol, "no outcome") {}
    explicit verify_unavailable(error why, std::chrono::seconds wait = {})
        : failure(std::move(why)), retry_after(wait)
    {}
    error failure;  ///< errc::refused where the answer was a 4xx, which may be the payment's fault
    std::chrono::seconds retry_after{0};  ///< as the facilitator or its guard asks; 0: no word of it
    facilitator_trouble trouble = facilitator_trouble::none;
};

using verify_outcome = std::variant<verify_unavailable, verify_valid, verify_invalid>;

/// The money moved.
struct settle_settled
{
    settle_settled(std::string hash, boost::json::object answer)
        : transaction(std::move(hash)), receipt(std::move(answer))
    {}
    std::string transaction;
    boost::json::object
        receipt;  ///< a SettleResponse: success, transaction, network, payer and, if given, amount
};

/// The facilitator surely sent no transaction of its own: a code that is known to come from before the
/// broadcast, or one that says that the nonce is used (see error_codes.hpp).
struct settle_refused
{
    explicit settle_refused(std::string why) : reason(std::move(why)) {}
    std::string reason;  ///< a code, printable; may be shown
};

/// The money may have moved: no answer, an answer that contradicts itself or the payment, a 5xx, a code that
/// is vague or not known, a settlement that is still pending, or one that failed after its transaction was
/// sent.
struct settle_unknown
{
    settle_unknown() : failure(errc::protocol, "no outcome") {}
    explicit settle_unknown(error why, std::chrono::seconds wait = {})
        : failure(std::move(why)), retry_after(wait)
    {}
    error failure;  ///< errc::refused where the facilitator itself said that it is open, or answered 4xx
    std::chrono::seconds retry_after{0};  ///< as in verify_unavailable
    std::string transaction = {};         ///< that the facilitator named; printable
    bool failed = false;                  ///< it says that this transaction was mined and failed
    facilitator_trouble trouble = facilitator_trouble::none;
};

/// The facilitator never saw the request, so it surely did not settle.
struct settle_not_sent
{
    explicit settle_not_sent(error why, std::chrono::seconds wait = {})
        : failure(std::move(why)), retry_after(wait)
    {}
    error failure;
    std::chrono::seconds retry_after{0};  ///< as in verify_unavailable
    facilitator_trouble trouble = facilitator_trouble::none;
};

using settle_outcome = std::variant<settle_unknown, settle_not_sent, settle_refused, settle_settled>;

/// On whose behalf a facilitator is asked: what one of them provokes must not hold up the others.
struct facilitator_caller
{
    std::string tenant = {};  ///< the offer's namespace
    std::string offer = {};   ///< "namespace/name"
    evm::address payer = {};
    bool proven = false;  ///< the payer's own key signed the payment, as far as could be seen here
};

/// Asks a facilitator. One strand. The payment and the requirement must outlive the operation; `url` is the
/// facilitator's base URL. Neither operation outlives `timeout`.
class facilitator_client
{
public:
    virtual ~facilitator_client() = default;

    virtual boost::asio::awaitable<verify_outcome> verify(
        std::string url,
        const payment& offered,
        const payment_requirement& wanted,
        facilitator_caller caller,
        std::chrono::milliseconds timeout
    ) = 0;

    virtual boost::asio::awaitable<settle_outcome> settle(
        std::string url,
        const payment& offered,
        const payment_requirement& wanted,
        facilitator_caller caller,
        std::chrono::milliseconds timeout
    ) = 0;
};

/// An answer of a facilitator that is longer is refused unread.
inline constexpr std::size_t max_facilitator_answer = 64 * 1024;

/// The facilitator over HTTP. An answer with the boolean `isValid` or `success` counts whatever its status,
/// because hosted facilitators say no with 400 and more; anything else is no answer. Only a settlement that
/// is refused with a 5xx is in doubt: the facilitator itself says that it has a fault. A 429 or 503 of that
/// kind has its Retry-After told, and means that the facilitator is busy, not broken. A success must name a
/// transaction in its network's form (EVM: "0x" and 64 digits), the network, and, if it names them, the payer
/// and the amount that was wanted; else it leaves the settlement in doubt. No redirect is followed: where it
/// leads is told in the failure, host and path only.
class http_facilitator final : public facilitator_client
{
public:
    /// The client must outlive this.
    explicit http_facilitator(http::client& client) : client_(client) {}

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

private:
    result<const http::url*> parsed(const std::string& url);

    http::client& client_;
    std::map<std::string, http::url> parsed_;  // by the text
};

}  // namespace portitor::x402

#pragma once

#include "cli/pay/wish.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/http/message.hpp>
#include <portitor/x402/buyer.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

/// Buying over HTTP, for every command that does.
namespace portitor::cli::pay {

/// A longer answer is refused.
inline constexpr std::size_t max_answer = 64 * 1024 * 1024;
/// The same of its header; no base64 of more is worth reading as terms.
inline constexpr std::size_t max_answer_header = 64 * 1024;

/// What came of a request.
enum class ending
{
    terms,    ///< a 402 of x402, and nothing was paid
    free,     ///< served without a payment
    served,   ///< served for the payment
    refused,  ///< 402 to the payment: the server says that it did not settle
    used,     ///< 409 to the payment: it can buy nothing (any more)
    unknown,  ///< nobody can tell whether the payment settled
    unsent,   ///< the server was not reached with the payment: nothing was charged
    moved,    ///< a redirect, which is not followed
    failed,   ///< another status
};

/// "terms", "free", …
const char* to_string(ending how) noexcept;

/// The answer to a request without a payment.
struct unpaid_answer
{
    ending how = ending::failed;  ///< terms, free, moved or failed
    http::response answer;
    std::optional<x402::payment_terms> terms;  ///< of ending::terms
    std::string why;                           ///< of the others than terms and free: in a sentence
};

/// Asks without a payment. An error: no answer came.
/// @param version 1 or 2 to read the terms of that one only
boost::asio::awaitable<result<unpaid_answer>>
ask(http::client& client, wish what, const x402::network_table& known, std::optional<int> version = {});

/// How often and how long the same payment is sent again, where its outcome is not known.
struct patience
{
    unsigned tries = 6;
    std::chrono::seconds longest_wait{30};  ///< whatever Retry-After says
    std::chrono::seconds in_all{120};       ///< no try begins later
};

/// The end of a purchase. There was one payment, whatever the number of tries.
struct paid_answer
{
    ending how = ending::unknown;          ///< any but terms and free
    std::optional<http::response> answer;  ///< the last one; nothing where none came
    std::optional<x402::receipt> receipt;  ///< of that answer
    unsigned tries = 0;
    std::string why;  ///< of the others than served: what happened, and what is known of the money
};

/// Asks with a payment. The same one is sent again where the server asks for that (429, 502 and 503 with
/// Retry-After), where it was not reached, and, of GET and HEAD, where no answer came. Never makes another
/// payment.
boost::asio::awaitable<paid_answer>
buy(http::client& client, timekeeper& timers, wish what, x402::signed_payment payment, patience limits = {});

/// 32 random bytes of the system for one payment. errc::unavailable where it gives none.
result<evm::word> random_nonce();

}  // namespace portitor::cli::pay

#pragma once

#include "cli/pay/ending.hpp"
#include "cli/pay/wish.hpp"

#include <portitor/core/stop_signal.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/buyer.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace portitor::cli::pay {

/// What is to be bought, and with what.
struct order
{
    wish what;
    x402::signed_payment payment;
    bool sent_before = false;  ///< whether the payment may have reached the server already
};

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
/// payment. All answers together have no more than max_answer bytes, as far as they came whole, and twice
/// that in any case. Told to stop, it ends at once.
boost::asio::awaitable<paid_answer>
buy(http::client& client, timekeeper& timers, stop_signal& stop, order placed, patience limits = {});

}  // namespace portitor::cli::pay

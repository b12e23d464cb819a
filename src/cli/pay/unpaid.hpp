#pragma once

#include "cli/pay/ending.hpp"
#include "cli/pay/wish.hpp"

#include <portitor/core/stop_signal.hpp>
#include <portitor/x402/buyer.hpp>

#include <boost/asio/awaitable.hpp>

#include <optional>
#include <string>

namespace portitor::cli::pay {

/// The answer to a request without a payment.
struct unpaid_answer
{
    ending how = ending::failed;  ///< terms, free, moved or failed
    http::response answer;
    std::optional<x402::offered_terms> terms;  ///< of ending::terms
    std::string why;                           ///< of the others than terms and free: in a sentence
};

/// Asks without a payment. An error: no answer came, or it was told to stop (errc::canceled).
/// @param version 1 or 2 to read the terms of that one only
boost::asio::awaitable<result<unpaid_answer>>
ask(http::client& client,
    stop_signal& stop,
    wish what,
    const x402::network_table& known,
    std::optional<int> version = {});

}  // namespace portitor::cli::pay

#pragma once

#include "cli/pay/kept_payment.hpp"
#include "cli/pay/report.hpp"
#include "roles/process.hpp"

#include <portitor/evm/private_key.hpp>

#include <functional>

namespace portitor::cli::pay {

/// 32 random bytes of the system for one payment. errc::unavailable where it gives none.
result<evm::word> random_nonce();

/// Signs one payment for `of.chosen`, one of `of.terms`; `signed_for` is called with the payer's address
/// before anything is sent; then asks with it. What comes of it is put down in `of`; a payment that may still
/// settle is kept in a file. An error: nothing was signed. All that is referred to outlives it.
boost::asio::awaitable<result<void>> pay_chosen(
    const roles::process& around,
    http::client& client,
    evm::private_key key,
    report& of,
    std::function<void(const std::string& payer)> signed_for
);

/// The same with a payment that an earlier run has kept in `file`, which goes when the payment is spent.
boost::asio::awaitable<void> pay_again(
    const roles::process& around,
    http::client& client,
    x402::signed_payment payment,
    std::string file,
    report& of
);

}  // namespace portitor::cli::pay

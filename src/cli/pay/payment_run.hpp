#pragma once

#include "cli/command.hpp"
#include "cli/pay/report.hpp"

#include <portitor/evm/private_key.hpp>
#include <portitor/http/client.hpp>

#include <functional>
#include <memory>

namespace portitor::cli::pay {

/// A client that trusts the authorities of a file, or the system's where it has no name. Blocks.
result<std::unique_ptr<http::client>>
make_buyer_client(const roles::process& around, const std::string& ca_file);

/// Signs one payment for `of.chosen`, one of `of.terms`; `signed_for` is called with the payer's address
/// before anything is sent; then asks with it. What comes of it is put down in `of`. An error: nothing was
/// signed. All that is referred to outlives it.
boost::asio::awaitable<result<void>> pay_chosen(
    const roles::process& around,
    http::client& client,
    evm::private_key key,
    report& of,
    std::function<void(const std::string& payer)> signed_for
);

}  // namespace portitor::cli::pay

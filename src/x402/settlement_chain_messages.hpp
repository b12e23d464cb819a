#pragma once

#include <portitor/evm/address.hpp>
#include <portitor/evm/chain_data.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What a node is asked about an EIP-3009 payment and how its answers are read; no I/O.
namespace portitor::x402 {

/// What is looked for: TransferWithAuthorization of this token, with these arguments.
struct authorization_query
{
    evm::address token;
    evm::address payer;
    evm::address pay_to;
    u256 value;
    u256 valid_before;  ///< Unix seconds
    evm::word nonce{};
};

/// Empty where the payment is not by EIP-3009.
std::optional<authorization_query>
make_authorization_query(const payment& offered, const payment_requirement& wanted);

/// Parameters of eth_call for authorizationState(payer, nonce) as of a block.
boost::json::array authorization_state_call(const authorization_query& about, std::uint64_t block);
result<bool> read_authorization_state(const boost::json::value& answer);

/// Parameters of eth_getLogs for what ended the authorization.
boost::json::array
authorization_logs_filter(const authorization_query& about, std::uint64_t from, std::uint64_t to);

struct authorization_end
{
    bool canceled = false;
    std::string transaction;  ///< "0x" and 64 lower-case digits
    std::uint64_t block = 0;  ///< that holds it
};

/// Empty where the logs hold none; logs about anything else are passed over.
result<std::optional<authorization_end>>
read_authorization_logs(const authorization_query& about, const boost::json::value& answer);

/// Whether the transaction of this receipt, which used the authorization, moved the amount from the payer to
/// payTo by it. errc::not_found where there is no receipt (yet).
result<bool> read_transfer(
    const authorization_query& about, std::string_view transaction, const boost::json::value& receipt
);

}  // namespace portitor::x402

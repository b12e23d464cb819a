#pragma once

#include <portitor/evm/address.hpp>
#include <portitor/evm/chain_data.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

/// How a payment shows on its chain: what a node is asked about it, and how the answers are read; no I/O.
namespace portitor::x402 {

/// What was signed, and for which token.
struct signed_payment
{
    evm::address token;
    evm::address payer;
    evm::address pay_to;
    u256 value;
    u256 valid_before;  ///< Unix seconds; the last one at most in which it can be used
    evm::word nonce{};
};

/// An event that may have used up the payment's nonce.
struct nonce_event
{
    bool canceled = false;
    /// Of canceled: the nonce may have been used before.
    bool may_be_late = false;
    evm::word transaction{};
    std::uint64_t block = 0;
};

/// What a transaction with such an event did.
enum class trace_word
{
    settled,         ///< it moved the amount from the payer to payTo, by this payment
    used_otherwise,  ///< it used the nonce for something else
    not_ours,        ///< it is about another payment
    untied,          ///< perhaps this payment, perhaps another one
};

/// Of one payment. Pure.
class settlement_trace
{
public:
    explicit settlement_trace(const signed_payment& of) : of_(of) {}
    settlement_trace(const settlement_trace&) = delete;
    settlement_trace& operator=(const settlement_trace&) = delete;
    virtual ~settlement_trace() = default;

    const signed_payment& of() const { return of_; }

    /// Parameters of eth_call: whether the nonce is used as of a block.
    virtual boost::json::array state_call(std::uint64_t block) const = 0;
    virtual result<bool> read_state(const boost::json::value& answer) const = 0;

    /// Parameters of eth_getLogs over blocks, both counted.
    virtual boost::json::array logs_filter(std::uint64_t first, std::uint64_t last) const = 0;
    /// In their order; logs about anything else are passed over.
    result<std::vector<nonce_event>> read_events(const boost::json::value& answer) const;

    /// Whether judge() needs the transaction's call.
    virtual bool needs_call() const = 0;
    virtual trace_word judge(const evm::receipt& receipt, const evm::sent_call& call) const = 0;

private:
    /// Of a log, without transaction and block; nothing where it is about anything else.
    virtual std::optional<nonce_event> event_of(const evm::log_entry& each) const = 0;

    signed_payment of_;
};

/// Of the payments that can be looked up: EIP-3009 and Permit2. Null for another one.
std::unique_ptr<const settlement_trace>
make_settlement_trace(const payment& offered, const payment_requirement& wanted);

std::unique_ptr<const settlement_trace> make_eip3009_trace(const signed_payment& of);
std::unique_ptr<const settlement_trace> make_permit2_trace(const signed_payment& of);

// What both of them need.

/// A topic that is written in hexadecimal digits.
evm::word topic_of(std::string_view hex);
bool is_of(const evm::log_entry& what, std::string_view topic);
/// Whether an event of the token is a Transfer of the amount from the payer to payTo.
bool pays(const evm::log_entry& what, const signed_payment& of);
/// `to` a contract with this data, as of a block.
boost::json::array call_params(const std::string& to, const std::string& data, std::uint64_t block);
/// Parameters of eth_getLogs.
boost::json::array
logs_params(boost::json::value contracts, boost::json::array topics, std::uint64_t first, std::uint64_t last);

}  // namespace portitor::x402

#pragma once

#include <portitor/x402/gate.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace portitor::verifier {

/// The gate, for callers on other threads. Payments are judged on one strand, so that a payment is claimed
/// once, whichever thread its copies arrive at. What a caller hands over must live until the operation ends,
/// which no cancellation of the caller brings forward.
class payment_desk
{
public:
    /// All of them belong to the executor's thread and must outlive this; `chain` may be null.
    payment_desk(boost::asio::any_io_executor executor, x402::gate& gate, x402::settlement_chain* chain)
        : executor_(executor), gate_(gate), chain_(chain)
    {}

    /// See x402::gate::pay().
    boost::asio::awaitable<x402::verdict>
    pay(const x402::payment& offered,
        const x402::payment_requirement& wanted,
        std::string facilitator_url,
        x402::claim_binding binding,
        std::chrono::steady_clock::time_point deadline);

    /// See x402::gate::pay_known().
    boost::asio::awaitable<std::optional<x402::verdict>> pay_known(
        const x402::payment& offered,
        std::vector<x402::claim_key> keys,
        x402::claim_binding binding,
        std::chrono::steady_clock::time_point deadline
    );

    /// Whether the payer is known to be a contract. False where nobody knows; empty where too many ask
    /// already: anybody can make us ask, with a wrong signature.
    boost::asio::awaitable<std::optional<bool>> is_contract(std::string network, evm::address payer);

    /// See x402::gate::guard_delivery(). It may be told, and may go, on any thread: the gate hears of it on
    /// its own.
    std::function<void(bool delivered)> guard_delivery(const x402::verdict_paid& paid) const;

private:
    boost::asio::any_io_executor executor_;
    x402::gate& gate_;
    x402::settlement_chain* chain_;
    std::atomic<int> questions_{0};  // to the chain, under way
};

}  // namespace portitor::verifier

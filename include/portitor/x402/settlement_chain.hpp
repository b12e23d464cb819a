#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/evm/json_rpc.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

/// What the chain itself knows about a payment, for when the facilitator cannot tell.
namespace portitor::x402 {

enum class settlement_state
{
    settled,         ///< the amount went from the payer to payTo, by this authorization
    canceled,        ///< the payer withdrew the authorization: it can never settle
    used_otherwise,  ///< the authorization's nonce was used for something else: it can never settle
    used_before,     ///< its nonce was used, for whatever, more than a minute before `since`
    open,            ///< not settled, but it may yet be
    dead,            ///< not settled, and too late: it can never settle
    cannot_tell,     ///< no answer, or a payment that cannot be looked up
};

/// "settled", "canceled", …
const char* to_string(settlement_state state) noexcept;

struct settlement_finding
{
    settlement_state state = settlement_state::cannot_tell;
    std::string transaction;                     ///< of settled: its hash
    std::optional<std::uint64_t> mined_at = {};  ///< of settled: its block's time, in Unix seconds
    std::string why;                             ///< of cannot_tell, for the log
    /// Of settled, canceled, used_otherwise and used_before: how many blocks are lacking until it has the confirmations
    /// that the operator wants. Until then a reorganisation may undo it.
    std::uint64_t lacking = 0;

    bool confirmed() const noexcept { return lacking == 0; }
};

/// Asks a chain. One strand.
class settlement_chain
{
public:
    virtual ~settlement_chain() = default;

    /// What became of a payment that match() found to pay `wanted`; both must live until then. It is looked
    /// for from about `since` on: when its record began here, in Unix seconds. Ends by `timeout`, and reports
    /// failures as cannot_tell. Only what was signed is read of the payment.
    virtual boost::asio::awaitable<settlement_finding> find(
        const payment& offered,
        const payment_requirement& wanted,
        std::uint64_t since,
        std::chrono::milliseconds timeout
    ) = 0;

    /// How long after its block a settlement has the confirmations that the operator wants, so that another
    /// look tells whether it stayed. `network` in CAIP-2; empty where no node of it is known.
    virtual std::optional<std::chrono::seconds> confirmation_time(std::string_view /*network*/) const
    {
        return std::nullopt;
    }

    /// Whether an account has code: then its signatures are judged by that (EIP-1271, EIP-7702), not by
    /// recovery. `network` in CAIP-2. errc::not_found: no node of the network is known.
    virtual boost::asio::awaitable<result<bool>>
    has_code(std::string network, evm::address account, std::chrono::milliseconds timeout) = 0;

    /// Whether a facilitator's success on this network (CAIP-2) is believed only once find() saw it settled,
    /// confirmed or not.
    virtual bool checks_receipts(std::string_view /*network*/) const { return false; }
};

struct settlement_chain_limits
{
    /// How far back a settlement is looked for, from the latest block. Payments are valid for minutes; nodes
    /// often refuse wider ranges.
    std::uint64_t blocks = 5'000;
    /// How long after validBefore, by the latest block's time, an unused authorization is dead: a reorganized
    /// chain may take a few blocks back.
    std::chrono::seconds reorganization{30};
};

/// Topics and selector of EIP-3009 and ERC-20.
inline constexpr std::string_view authorization_used_topic =
    "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";
inline constexpr std::string_view authorization_canceled_topic =
    "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81";
inline constexpr std::string_view transfer_topic =
    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
inline constexpr std::string_view authorization_state_selector = "0xe94a0102";

/// Looks up EIP-3009 payments at nodes. Everything a node says is checked for shape and for being about this
/// payment, and a node of another chain than the network's is not believed; of what is left it is trusted, so
/// name only nodes that you would let decide whether a buyer is served.
class rpc_settlement_chain final : public settlement_chain
{
public:
    /// Nodes by CAIP-2 network ("eip155:84532"); other networks are cannot_tell.
    rpc_settlement_chain(
        std::map<std::string, evm::json_rpc> nodes,
        const timekeeper& time,
        const settlement_chain_limits& limits = {}
    );
    ~rpc_settlement_chain() override;

    boost::asio::awaitable<settlement_finding> find(
        const payment& offered,
        const payment_requirement& wanted,
        std::uint64_t since,
        std::chrono::milliseconds timeout
    ) override;

    boost::asio::awaitable<result<bool>>
    has_code(std::string network, evm::address account, std::chrono::milliseconds timeout) override;

private:
    struct node
    {
        evm::json_rpc rpc;
        bool right_chain = false;  // it was asked, once
    };
    class session;

    std::map<std::string, node> nodes_;
    const timekeeper& time_;
    settlement_chain_limits limits_;
};

}  // namespace portitor::x402

#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/evm/node.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
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
    std::string transaction;  ///< of settled: its hash
    /// Of settled: when it was mined, in Unix seconds by the clock that `since` goes by.
    std::optional<std::uint64_t> mined_at = {};
    std::string why;  ///< of cannot_tell, for the log
    /// Of settled, canceled, used_otherwise and used_before: how many blocks are lacking until it has the
    /// confirmations that the operator wants. Until then a reorganisation may undo it.
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

/// Topics and selector of EIP-3009 and ERC-20.
inline constexpr std::string_view authorization_used_topic =
    "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";
inline constexpr std::string_view authorization_canceled_topic =
    "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81";
inline constexpr std::string_view transfer_topic =
    "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
inline constexpr std::string_view authorization_state_selector = "0xe94a0102";

/// UnorderedNonceInvalidation(address,uint256,uint256) of Permit2.
inline constexpr std::string_view nonce_invalidation_topic =
    "0x3704902f963766a4e561bbaab6e6cdc1b1dd12f6e9e99648da8843b3f46b918d";

/// The nodes of one chain, and how far they are believed.
struct settlement_node
{
    evm::node node;
    /// Blocks from an event's own to the head, both counted, until it is taken for final; at least 1.
    std::uint64_t confirmations = 1;
    bool checks_receipts = false;  ///< as settlement_chain::checks_receipts()
};

/// Looks up EIP-3009 and Permit2 payments at nodes.
/// - Whether the nonce is used is asked as of a block that is named. Unused counts for good only at a block
///   that has the confirmations and a time past validBefore.
/// - What used it is looked for in the events from a minute before the payment's record on, over as many
///   blocks at a time as the node takes; what is not reached in time is gone on with at the next try.
/// Everything a node says is checked for shape and for being about this payment, and a node of another chain
/// than the network's is not believed; of what is left it is trusted, so name only nodes that you would let
/// decide whether a buyer is served. Blocks have the chain's time: where that is behind the clock, or the
/// node is, up to an hour of it is taken into account. Client, clock and timekeeper must outlive it.
class rpc_settlement_chain final : public settlement_chain
{
public:
    /// Nodes by CAIP-2 network ("eip155:84532"); other networks are cannot_tell.
    rpc_settlement_chain(
        std::map<std::string, settlement_node> nodes, const clock& wall_clock, const timekeeper& time
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

    bool checks_receipts(std::string_view network) const override;
    std::optional<std::chrono::seconds> confirmation_time(std::string_view network) const override;

private:
    struct chain;

    std::map<std::string, std::unique_ptr<chain>, std::less<>> chains_;
    const clock& clock_;
    const timekeeper& time_;
};

}  // namespace portitor::x402

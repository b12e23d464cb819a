#pragma once

#include <portitor/x402/account_memory.hpp>
#include <portitor/x402/match.hpp>
#include <portitor/x402/payment.hpp>
#include <portitor/x402/requirement.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <string>

/// Which signatures are worth a facilitator's time.
namespace portitor::x402 {

/// What a signature's form says, without asking anyone.
enum class signature_form : std::uint8_t
{
    proven,       ///< the payer's own key signed this payment in the wanted token
    other_terms,  ///< it did, but for another token or network
    short_wrong,  ///< no more than an account's 65 bytes (or those and a tail), and none of this payer
    contract,     ///< longer: for a wallet contract, if for anything
    undeployed,   ///< the end that ERC-6492 gives to signatures of wallets that are not deployed yet
    unknown,      ///< what had to be signed is not known here
};

/// Pure, of any thread; costs about 50 us for each token of the network that it is tried with.
signature_form
form_of(const payment& offered, const payment_requirement& wanted, const network_table& networks);

enum class signature_standing : std::uint8_t
{
    proven,  ///< the payer's own key signed this payment for today's token
    /// It signed it for another token of the network: it may be on record under earlier terms, and pays none
    /// of today's. `why` is the mismatch then.
    other_terms,
    unproven,   ///< only the facilitator can judge it (a wallet contract's signature)
    refused,    ///< nobody's who could pay; `why` tells the buyer
    ask_later,  ///< nothing could be learnt in time: 503 with `retry_after`
};

struct signature_decision
{
    signature_standing standing = signature_standing::ask_later;
    refusal why = {};                     ///< of other_terms and refused
    std::chrono::seconds retry_after{0};  ///< of ask_later
    std::string failure = {};             ///< of ask_later, for the log
};

/// Judges signatures: by themselves, and where they are not an account's own, by whether the payer has code:
/// who has none can have signed with 65 bytes only. Without a node of the network a longer signature is
/// unproven, and a short one refused.
class signature_judge
{
public:
    /// `accounts` belongs to `strand` and may be null: no node is known. Both and the networks must outlive
    /// this.
    signature_judge(
        boost::asio::any_io_executor strand, account_memory* accounts, const network_table& networks
    )
        : strand_(std::move(strand)), accounts_(accounts), networks_(networks)
    {}

    /// On any thread; a cancellation of the caller does not bring the end forward. `tenant`: the offer's
    /// namespace, on whose share of the node's time is asked. Payment and requirement must live until then;
    /// match() need not have found that they fit.
    boost::asio::awaitable<signature_decision>
    judge(const payment& offered, const payment_requirement& wanted, std::string tenant) const;

private:
    boost::asio::any_io_executor strand_;
    account_memory* accounts_;
    const network_table& networks_;
};

}  // namespace portitor::x402

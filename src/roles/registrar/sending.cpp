#include "roles/registrar/account.hpp"
#include "roles/registrar/steps.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/fees.hpp>

#include <algorithm>
#include <variant>

namespace portitor::registrar {

namespace {

using api::registration_phase;
constexpr unsigned ether_decimals = 18;
constexpr unsigned gwei_decimals = 9;
constexpr std::chrono::milliseconds day_goes_on = std::chrono::minutes(10);
constexpr std::chrono::milliseconds search_goes_on = std::chrono::seconds(1);
// What the status has room for, as hexadecimal digits.
constexpr std::size_t longest_call = 30'000;
// EIP-7825.
constexpr std::uint64_t most_gas = 16'777'216;

/// A nonce, or what has to be done or known first.
using nonce_or_step = std::variant<std::uint64_t, next_step>;

/// Ends by a failure of the contract's; it is not tried again before the spec changes or the time is over.
next_step refused_by_contract(const situation& of, operation what)
{
    request_status status = of.status;
    ++status.failures;
    status.sent_at = of.now;
    return say(
        of,
        std::move(status),
        registration_phase::failed,
        "Reverted",
        fmt::format(
            "the registry {} refuses {}{}; nothing was sent. An account with code, such as one with an "
            "EIP-7702 delegation, cannot own an agent",
            of.registry.to_checksum(),
            to_string(what),
            of.facts.revert->empty() ? "" : ": " + *of.facts.revert
        )
    );
}

std::optional<next_step> lack_of_money(const situation& of, const u256& most)
{
    const u256& have = *of.facts.balance;
    if (have >= of.low_balance && have >= most)
        return std::nullopt;
    return wait_for(
        of,
        "LowBalance",
        fmt::format(
            "account {} has {} ether on {}, {}; send it more",
            of.account.to_checksum(),
            decimal_amount(have, ether_decimals),
            of.chain.name,
            have < of.low_balance
                ? fmt::format("and stops below {}", decimal_amount(of.low_balance, ether_decimals))
                : std::string("which is less than the next transaction may cost")
        ),
        money_comes
    );
}

/// The lowest one that is in no block. What may wait there is replaced, or is mined and then this one goes
/// at the next: so there is never a gap, which nobody would fill.
nonce_or_step find_nonce(const situation& of)
{
    if (!of.facts.mined_nonces)
        return question(ask::about::mined_nonces);
    return *of.facts.mined_nonces;
}

/// The same as of the block in which the search for an earlier mint ended: where that block was an old one,
/// the nonce is gone, and no second mint can come of it.
nonce_or_step find_nonce_of_mint(const situation& of)
{
    const auto& earlier = of.facts.earlier;
    if (!earlier)
        return question(ask::about::earlier);
    if (earlier->agent_id)
    {
        request_status status = of.status;
        status.agent_id = earlier->agent_id;
        status.transaction = earlier->transaction;
        return say(
            of,
            std::move(status),
            registration_phase::pending,
            "Pending",
            fmt::format("agent {} was minted for this offer before", to_string(*earlier->agent_id))
        );
    }
    if (earlier->so_far)
        return wait_for(
            of,
            "Pending",
            fmt::format(
                "an earlier registration of this offer is looked for on {} from block {} on",
                of.chain.name,
                earlier->so_far->first
            ),
            search_goes_on
        );
    if (!earlier->certain)
        return wait_for(
            of,
            "NodeUnreachable",
            fmt::format(
                "the node of {} does not show for certain whether this offer was registered before",
                of.chain.name
            ),
            node_catches_up
        );
    return earlier->nonces;
}

/// A node that is behind would have us sign at a nonce that is gone.
std::optional<next_step> lack_of_blocks(const situation& of, std::uint64_t nonce)
{
    if (nonce >= of.least_nonce)
        return std::nullopt;
    return wait_for(
        of,
        "NodeUnreachable",
        fmt::format(
            "the node of {} is behind: it counts less than the {} transactions of account {} that were seen "
            "in blocks. Where the chain was made anew, remove annotation obol.org/spent of Lease {}",
            of.chain.name,
            of.least_nonce,
            of.account.to_checksum(),
            account::identity{of.chain_id, of.account}.lease_name()
        ),
        node_catches_up
    );
}

next_step fees_too_high(const situation& of)
{
    return wait_for(
        of,
        "FeesTooHigh",
        fmt::format(
            "gas on {} costs more than the {} gwei that the operator allows (maxFeePerGas)",
            of.chain.name,
            decimal_amount(of.chain.max_fee_per_gas, gwei_decimals)
        ),
        money_comes
    );
}

next_step too_large(const situation& of, std::string message)
{
    return say(of, registration_phase::failed, "TooLarge", std::move(message));
}

/// Key, turn, money and the newest block: without them nothing else is worth a question.
std::optional<next_step> make_ready(const situation& of, operation what, std::size_t size)
{
    const chain_facts& known = of.facts;
    if (!of.can_sign)
        return wait_for(
            of,
            "NoKey",
            fmt::format(
                "the key of account {}, which owns the agent, is not there", of.account.to_checksum()
            ),
            money_comes
        );
    if (size > longest_call)
        return too_large(
            of,
            fmt::format(
                "{} would take {} bytes on chain, and {} are sent at most; shorten spec.registration",
                to_string(what),
                size,
                longest_call
            )
        );
    const auto& limit = what == operation::retire ? of.limit_of_retirements : of.limit_of_changes;
    if (limit)
        return wait_for(of, "LimitReached", *limit, day_goes_on);
    if (!of.has_turn)
        return take_turn{};
    if (!known.balance)
        return question(ask::about::balance);
    if (auto lack = lack_of_money(of, 0))
        return lack;
    if (!known.head)
        return question(ask::about::head);
    return std::nullopt;
}

}  // namespace

next_step send(const situation& of, operation what, std::string key, evm::bytes data)
{
    if (auto step = make_ready(of, what, data.size()))
        return *step;
    const chain_facts& known = of.facts;
    const auto found = what == operation::mint ? find_nonce_of_mint(of) : find_nonce(of);
    if (const auto* step = std::get_if<next_step>(&found))
        return *step;
    const std::uint64_t nonce = std::get<std::uint64_t>(found);
    if (auto lack = lack_of_blocks(of, nonce))
        return *lack;
    if (known.revert)
        return refused_by_contract(of, what);
    if (!known.gas)
        return ask{.what = ask::about::estimate, .data = std::move(data)};
    const auto tip = priority_of(known);
    if (!tip)
        return question(ask::about::priority_fee);
    const auto fees = evm::fees_for(known.head->base_fee, *tip, of.chain.max_fee_per_gas);
    if (!fees)
        return fees_too_high(of);
    if (*known.gas > most_gas)
        return too_large(
            of,
            fmt::format(
                "{} takes {} gas, and no node takes a transaction of more than {}",
                to_string(what),
                *known.gas,
                most_gas
            )
        );
    prepare out;
    out.what = what;
    out.key = std::move(key);
    // Some blocks earlier, as another node may have known more already.
    out.from_block = known.head->number - std::min<std::uint64_t>(known.head->number, 16);
    out.transaction = {
        of.chain_id,
        nonce,
        fees->priority,
        fees->most,
        std::min(evm::gas_limit_for(*known.gas), most_gas),
        of.registry,
        0,
        std::move(data)};
    if (auto lack = lack_of_money(of, evm::most_cost(out.transaction)))
        return *lack;
    return out;
}

}  // namespace portitor::registrar

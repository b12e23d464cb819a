#include "roles/registrar/steps.hpp"

#include <portitor/evm/fees.hpp>
#include <portitor/evm/hex.hpp>

#include <algorithm>

// What is done about a transaction that is in no block.
namespace portitor::registrar {

namespace {

using api::registration_phase;

constexpr std::chrono::seconds send_again_after(15);
constexpr std::chrono::seconds replace_after(60);
constexpr std::chrono::seconds nonce_asked_after(4);
// What nodes refuse for so long is given up.
constexpr std::chrono::minutes cancel_after(2);
// How long a node may lack what another one has before it is worth a word.
constexpr std::chrono::minutes told_after(2);
constexpr std::uint64_t gas_of_nothing = 100'000;
constexpr std::size_t most_attempts = 32;  // as many hashes as the status holds

/// Another transaction has the nonce, deep enough: this one can never be mined any more.
next_step give_up_nonce(const situation& of, const nonce_taker& taker)
{
    const write_ahead& record = *of.status.under_way;
    request_status status = of.status;
    if (record.what == operation::mint)
    {
        if (!of.facts.earlier)
            return question(ask::about::earlier);
        if (of.facts.earlier->agent_id)
        {
            status.agent_id = of.facts.earlier->agent_id;
            status.transaction = of.facts.earlier->transaction;
        }
        else if (!of.facts.earlier->certain)
            return rest{node_catches_up};
    }
    status.under_way.reset();
    // Nothing of it came to be, so that the next one need not wait.
    status.sent_at.reset();
    return say(
        of,
        std::move(status),
        registration_phase::pending,
        "NonceTaken",
        fmt::format(
            "nonce {} of account {} was taken by transaction {}, which is none of this request; if another "
            "program sends for this account, it has to stop",
            record.nonce,
            record.account.to_checksum(),
            evm::to_hex(taker.transaction)
        )
    );
}

next_step follow_taken(const situation& of)
{
    const write_ahead& record = *of.status.under_way;
    if (!of.facts.head)
        return question(ask::about::head);
    if (!of.facts.taker)
        return question(ask::about::taker);
    const auto& taker = *of.facts.taker;
    const auto pause = poll_after(of, record.started_at);
    const bool is_ours = taker && std::ranges::find(record.hashes, taker->transaction) != record.hashes.end();
    if (!taker && of.now - record.started_at >= told_after)
        return say(
            of,
            registration_phase::submitted,
            "NodeUnreachable",
            fmt::format(
                "nonce {} of account {} is taken, and the node of {} does not show by which transaction; one "
                "that keeps older state can, as another of the chain's rpcURLs",
                record.nonce,
                record.account.to_checksum(),
                of.chain.name
            ),
            money_comes
        );
    // The count of a node may be ahead of what it shows.
    if (!taker || is_ours || of.facts.head->number < taker->block ||
        of.facts.head->number - taker->block + 1 < of.chain.confirmations)
        return rest{pause};
    return give_up_nonce(of, *taker);
}

next_step too_dear(const situation& of)
{
    return say(
        of,
        registration_phase::submitted,
        "FeesTooHigh",
        fmt::format(
            "transaction {} waits, and a dearer one is more than the {} gwei that the operator allows "
            "(maxFeePerGas)",
            evm::to_hex(of.status.under_way->hashes.back()),
            decimal_amount(of.chain.max_fee_per_gas, 9)
        ),
        money_comes / 4
    );
}

/// Signs it for these fees, at the same nonce.
next_step replace_for(const situation& of, evm::transaction transaction, const evm::fees& fees, bool cancels)
{
    const write_ahead& record = *of.status.under_way;
    if (cancels)
    {
        transaction.to = record.account;
        transaction.data.clear();
        transaction.gas_limit = gas_of_nothing;
    }
    if (!of.facts.balance)
        return question(ask::about::balance);
    if (*of.facts.balance < fees.most * transaction.gas_limit)
        return say(
            of,
            registration_phase::submitted,
            "LowBalance",
            fmt::format(
                "transaction {} waits, and account {} cannot pay for a dearer one on {}; send it more",
                evm::to_hex(record.hashes.back()),
                record.account.to_checksum(),
                of.chain.name
            ),
            money_comes / 4
        );
    transaction.max_priority_fee = fees.priority;
    transaction.max_fee = fees.most;
    return prepare{record.what, record.key, std::move(transaction), record.from_block, true, cancels};
}

/// What takes the place of a transaction; nothing where that is more than the operator allows.
std::optional<evm::fees>
dearer_fees(const situation& of, const evm::fees& before, const u256& tip, bool cancels)
{
    const u256& base = of.facts.head->base_fee;
    const u256& ceiling = of.chain.max_fee_per_gas;
    const evm::fees market{tip, 2 * base + tip};
    // A node that wants more does not say how much: mostly it is the tip, which doubles, as it starts from
    // little.
    const evm::fees start{
        of.must_bump ? std::min<u256>(2 * before.priority, before.most) : before.priority, before.most};
    if (auto fees = evm::fees_to_replace(start, market, ceiling))
        return fees;
    if (of.must_bump && before.most < ceiling)
        return evm::fees{std::min<u256>(std::max<u256>(2 * before.priority, tip), ceiling), ceiling};
    // What no node has need not be outbid.
    return cancels ? evm::fees_for(base, tip, ceiling) : std::nullopt;
}

/// The same call at the same nonce, for more; or one that does nothing, so that the account can go on.
next_step replace(const situation& of, bool cancels)
{
    const chain_facts& known = of.facts;
    if (!known.head)
        return question(ask::about::head);
    const auto tip = priority_of(known);
    if (!tip)
        return question(ask::about::priority_fee);
    auto transaction = evm::read_signed(of.status.under_way->raw);
    if (!transaction)
        return rest{money_comes};
    // What pays enough is only sent again: while a chain stands still, it is not paid more and more.
    const bool pays_enough =
        transaction->max_fee >= known.head->base_fee + *tip && transaction->max_priority_fee >= *tip;
    if (pays_enough && !of.must_bump && !cancels)
        return broadcast{};
    const auto fees = dearer_fees(of, {transaction->max_priority_fee, transaction->max_fee}, *tip, cancels);
    return fees ? replace_for(of, std::move(*transaction), *fees, cancels) : too_dear(of);
}

/// What a node found too cheap is made dearer soon, and less and less soon.
std::chrono::seconds pause_of_cheap(const write_ahead& record)
{
    return std::chrono::seconds(1) * (1U << std::min<std::size_t>(record.hashes.size(), 5));
}

next_step follow_waiting(const situation& of)
{
    const write_ahead& record = *of.status.under_way;
    if (!of.sent_last)
        return broadcast{};
    const bool is_refused = of.refused_since && of.now - *of.refused_since >= cancel_after;
    if (of.can_sign && record.hashes.size() < most_attempts && record.canceled_from == 0 && is_refused)
    {
        if (!of.facts.known)
            return question(ask::about::known);
        if (!*of.facts.known)
            return replace(of, true);
    }
    // The last one is kept for the case that nothing else helps.
    const bool may_replace = of.can_sign && record.hashes.size() + 1 < most_attempts;
    const auto pause = of.must_bump ? pause_of_cheap(record) : replace_after;
    if (may_replace && !of.refused_since && of.now - record.started_at >= pause)
    {
        auto step = replace(of, false);
        // What cannot be replaced may at least be known everywhere.
        if (!std::holds_alternative<rest>(step) && !std::holds_alternative<broadcast>(step))
            return step;
    }
    if (of.now - *of.sent_last >= send_again_after)
        return broadcast{};
    return say(
        of,
        registration_phase::submitted,
        "Submitted",
        fmt::format("transaction {} is sent and in no block yet", evm::to_hex(record.hashes.back())),
        poll_after(of, record.started_at)
    );
}

}  // namespace

next_step follow_unmined(const situation& of)
{
    const write_ahead& record = *of.status.under_way;
    // Mostly its receipt comes first.
    const bool is_new =
        of.sent_last && of.now - record.started_at < nonce_asked_after && !of.must_bump && !of.refused_since;
    if (!of.facts.mined_nonces && is_new)
        return follow_waiting(of);
    if (!of.facts.mined_nonces)
        return question(ask::about::mined_nonces);
    return *of.facts.mined_nonces > record.nonce ? follow_taken(of) : follow_waiting(of);
}

}  // namespace portitor::registrar

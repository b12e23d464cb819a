#include "roles/registrar/executor.hpp"

#include <portitor/evm/hex.hpp>

#include <algorithm>

// How the executor signs and sends.
namespace portitor::registrar {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds just_sent(500);
constexpr std::chrono::seconds signer_comes(30);
constexpr std::chrono::milliseconds somebody_helps = std::chrono::minutes(1);
constexpr std::chrono::minutes foreign_schema_goes(5);
constexpr std::chrono::minutes day_goes_on(10);
constexpr std::size_t most_remembered = 10'000;  // transactions

u256 most_cost(const evm::bytes& raw)
{
    const auto sent = evm::read_signed(raw);
    return sent ? evm::most_cost(*sent) : u256();
}

purpose purpose_of(operation what)
{
    return what == operation::retire ? purpose::retirement : purpose::change;
}

/// The status as it is once this is sent.
request_status status_of_sent(
    request_status status,
    prepare what,
    evm::signed_transaction made,
    const evm::address& from,
    clock::time_point now
)
{
    write_ahead record = what.replaces ? *status.under_way : write_ahead();
    record.what = what.what;
    record.key = std::move(what.key);
    record.account = from;
    record.nonce = what.transaction.nonce;
    record.from_block = what.from_block;
    record.hashes.push_back(made.hash);
    record.attempt = record.hashes.size();
    record.raw = std::move(made.raw);
    record.started_at = now;
    record.in_block.reset();
    record.confirmed = false;
    if (what.cancels)
        record.canceled_from = record.attempt;
    status.under_way = std::move(record);
    status.sent_at = now;
    if (!what.cancels)
        status.transaction = made.hash;
    status.phase = api::registration_phase::submitted;
    status.reason = what.replaces ? "Replaced" : "Submitted";
    status.message = fmt::format(
        "transaction {} ({}, nonce {}) is sent{}",
        evm::to_hex(made.hash),
        to_string(what.what),
        what.transaction.nonce,
        what.replaces ? " in place of one that waits" : ""
    );
    return status;
}

}  // namespace

asio::awaitable<result<executor::outcome>> executor::sign_and_send(pass* of, prepare what)
{
    const config::chain& chain = *of->allowed.chain;
    const spending_limits limits{chain.daily_transactions, chain.daily_spend};
    const std::string ns = of->request.meta.ns;
    const purpose why = purpose_of(what.what);
    const u256 most = evm::most_cost(what.transaction);
    if (const std::string& lacks = around_.served.request_lacks; !lacks.empty())
        co_return co_await say(
            of,
            "ForeignSchema",
            fmt::format(
                "the API server's RegistrationRequest lacks {}, so nothing is sent that it would not keep a "
                "record of; apply the CRD of this version",
                lacks
            ),
            foreign_schema_goes
        );
    if (!what.replaces)
    {
        if (auto may = of->account->spent().may_spend(limits, ns, why, most, around_.wall.now()); !may)
            co_return co_await say(of, "LimitReached", may.error().message(), day_goes_on);
    }
    auto made = co_await of->signer->sign(what.transaction);
    // What is under way is at least sent again.
    if (!made && what.replaces)
    {
        if (auto sent = co_await send(of); !sent)
            co_return sent.error();
        co_return outcome{false, signer_comes};
    }
    if (!made)
        co_return co_await say(of, "NoKey", made.error().message(), signer_comes);
    const u256 booked = what.replaces ? most_cost(of->status.under_way->raw) : u256();
    request_status status = status_of_sent(of->status, what, std::move(*made), of->address, now());
    // The account's Lease is written first, as a proof that this process still has it.
    const auto when = around_.wall.now();
    auto counted = co_await of->account->update([&](ledger& numbers) {
        if (what.replaces)
            numbers.book_more(ns, why, most > booked ? u256(most - booked) : u256(), when);
        else
            numbers.book(ns, why, most, when);
    });
    if (!counted)
        co_return counted.error();
    if (auto written = co_await write_status(of, std::move(status)); !written)
    {
        const errc failure = written.error().code();
        // Otherwise nobody knows whether it was written.
        const bool is_refused = failure == errc::conflict || failure == errc::protocol ||
                                failure == errc::invalid || failure == errc::refused;
        if (is_refused)
            of->account->note([&](ledger& numbers) {
                if (what.replaces)
                    numbers.give_back(ns, why, most > booked ? u256(most - booked) : u256(), when);
                else
                    numbers.take_back(ns, why, most, when);
            });
        if (failure == errc::protocol)
            co_return co_await say(of, "ForeignSchema", written.error().message(), foreign_schema_goes);
        co_return written.error();
    }
    around_.news.sent(chain.name, what.what, what.replaces);
    co_return co_await send(of);
}

asio::awaitable<result<executor::outcome>> executor::send(pass* of)
{
    const evm::bytes raw = of->status.under_way->raw;
    if (receptions_.size() >= most_remembered)
        receptions_.clear();
    const evm::word hash = of->status.under_way->hashes.back();
    receptions_[hash].sent = now();
    of->facts = {};
    auto sent = co_await of->link->reader().send(raw);
    const auto why = sent || sent.error().code() != errc::refused ? evm::rpc_refusal::already_known
                                                                  : sent.error().refusal();
    reception& known = receptions_[hash];
    using refusal = evm::rpc_refusal;
    if (sent)
        known.accepted = true;
    // One that took it may say so in its own words when it is asked again.
    const bool for_good =
        why == refusal::permanent || why == refusal::reverted || (why == refusal::unknown && !known.accepted);
    if (!for_good)
        known.refused_since.reset();
    else if (!known.refused_since)
        known.refused_since = now();
    known.too_cheap = why == refusal::replacement_underpriced || why == refusal::underpriced;
    co_return co_await tell_refusal(of, why);
}

/// It has it, or may have it, and the next look tells; or somebody has to do something.
asio::awaitable<result<executor::outcome>> executor::tell_refusal(pass* of, evm::rpc_refusal why)
{
    using refusal = evm::rpc_refusal;
    const std::string& chain = of->allowed.chain->name;
    const evm::word hash = of->status.under_way->hashes.back();
    if (why == refusal::insufficient_funds)
        co_return co_await say(
            of,
            "LowBalance",
            fmt::format(
                "account {} cannot pay for its transaction on {}; send it more",
                of->address.to_checksum(),
                chain
            ),
            signer_comes
        );
    if (why == refusal::wrong_chain)
        co_return co_await say(
            of, "WrongChain", fmt::format("the node of {} is one of another chain", chain), somebody_helps
        );
    if (why == refusal::permanent || why == refusal::reverted)
        co_return co_await say(
            of,
            "Refused",
            fmt::format(
                "the node of {} refuses transaction {} ({})", chain, evm::to_hex(hash), to_string(why)
            ),
            signer_comes
        );
    co_return outcome{false, just_sent};
}

/// A transaction of the account is in a block: its nonce is gone, and what it cost is known.
void executor::count_mined(const pass& of, const request_status& now_told)
{
    if (!holds_nonce(of.status) || holds_nonce(now_told))
        return;
    const write_ahead& record = *of.status.under_way;
    const auto sent = evm::read_signed(record.raw);
    u256 unspent = sent ? evm::most_cost(*sent) : u256();
    if (of.facts.receipts && sent)
    {
        for (const auto& each : *of.facts.receipts)
        {
            if (!each)
                continue;
            // No more than was signed for, whatever a node says.
            const u256 gas =
                std::min<u256>(each->gas_used, sent->gas_limit) * std::min(each->gas_price, sent->max_fee);
            unspent -= std::min<u256>(unspent, gas);
            unspent -= std::min<u256>(unspent, each->l1_fee);
        }
    }
    const std::string ns = of.request.meta.ns;
    of.account->note([&](ledger& numbers) {
        numbers.saw_mined(record.nonce);
        numbers.give_back(ns, purpose_of(record.what), unspent, record.started_at);
    });
}

}  // namespace portitor::registrar

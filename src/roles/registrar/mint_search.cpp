#include "mint_search.hpp"

#include "chain_reader.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/abi.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <boost/json/object.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace json = boost::json;
using evm::rpc_error;

namespace {

constexpr std::size_t most_questions = 500;
// The clocks of a cluster and of a chain may differ so much.
constexpr std::uint64_t clock_difference = 120;  // seconds
// Every node keeps the state of so many blocks: geth's least is 128.
constexpr std::uint64_t kept_blocks = 96;
// That one node of several lacks a block does not mean that none has it.
constexpr int most_tries = 3;

/// Whether fewer blocks at a time may do: a list that is too long comes as no answer at all.
bool is_too_much(const rpc_error& why)
{
    return is_lack(why) || why.code() == errc::protocol;
}

}  // namespace

mint_search::mint_search(
    const chain_questions& node,
    block_times& times,
    evm::address account,
    std::string uri_end,
    std::uint64_t head
)
    : node_(node.limited(most_questions)), times_(&times), account_(account), uri_end_(std::move(uri_end)),
      head_(head)
{}

chain_questions::answer<earlier_mint> mint_search::run(std::uint64_t not_before)
{
    if (uri_end_.empty())
        co_return rpc_error(fail(errc::invalid, "no URI is given whose mint is looked for"));
    const auto said = co_await node_.call(erc8004::balance_of_call(account_), evm::to_quantity(head_));
    if (!said && is_lack(said.error()))
        co_return earlier_mint{};
    if (!said)
        co_return said.error();
    const auto tokens = evm::abi_number(*said, 0);
    if (!tokens)
        co_return rpc_error(tokens.error().within("balanceOf"));
    const auto nonces = co_await nonces_at(head_);
    if (!nonces)
        co_return nonces.error();
    if (!*nonces)
        co_return earlier_mint{};
    if (*tokens == 0)
        co_return earlier_mint{true, std::nullopt, std::nullopt, **nonces};
    const std::uint64_t since = not_before - std::min(not_before, clock_difference);
    const auto first = co_await times_->block_before(node_, since, head_);
    if (!first)
        co_return first.error();
    if (!*first)
        co_return earlier_mint{};
    const auto seen = co_await look(**first, **nonces);
    if (!seen)
        co_return seen.error();
    co_return co_await judge(*seen, **nonces);
}

chain_questions::answer<std::optional<std::uint64_t>> mint_search::nonces_at(std::uint64_t block)
{
    for (int tried = 0; tried < most_tries; ++tried)
    {
        const auto said = co_await node_.nonces(account_, evm::to_quantity(block));
        if (said)
            co_return std::optional(*said);
        if (!is_lack(said.error()))
            co_return said.error();
    }
    co_return std::optional<std::uint64_t>();
}

mint_search::reach mint_search::look(std::uint64_t first, std::uint64_t nonces)
{
    const auto before = co_await nonces_at(first);
    if (!before)
        co_return before.error();
    if (*before)
        co_return co_await look_through({first, **before, head_, nonces});
    const std::uint64_t kept = head_ - std::min(head_, kept_blocks);
    if (kept <= first)
        co_return extent::unknown;
    const auto recently = co_await nonces_at(kept);
    if (!recently)
        co_return recently.error();
    if (!*recently)
        co_return extent::unknown;
    const auto old = co_await look_twice({first + 1, kept});
    if (!old || *old != extent::all)
        co_return old;
    co_return co_await look_through({kept, **recently, head_, nonces});
}

mint_search::reach mint_search::look_through(span all)
{
    std::vector<span> open{all};
    while (!open.empty())
    {
        span next = open.back();
        open.pop_back();
        if (!next.is_read && next.nonces_before < next.nonces)
        {
            const auto seen = co_await read_span(next);
            if (!seen || *seen != extent::all)
                co_return seen;
        }
        if (next.nonces_before > next.nonces)
            co_return extent::unknown;
        if (next.nonces_before == next.nonces)
            continue;
        if (next.last - next.after == 1)
        {
            const auto seen = co_await look_at_block(next.last);
            if (!seen || *seen != extent::all)
                co_return seen;
            continue;
        }
        const std::uint64_t middle = next.after + (next.last - next.after) / 2;
        const auto nonces = co_await nonces_at(middle);
        if (!nonces)
            co_return nonces.error();
        if (!*nonces)
            co_return extent::unknown;
        open.push_back({middle, **nonces, next.last, next.nonces, next.is_read});
        open.push_back({next.after, next.nonces_before, middle, **nonces, next.is_read});
    }
    co_return extent::all;
}

/// Leaves of the span what its events do not account for.
mint_search::reach mint_search::read_span(span& of)
{
    json::object wanted = filter();
    wanted["fromBlock"] = evm::to_quantity(of.after + 1);
    wanted["toBlock"] = evm::to_quantity(of.last);
    const auto seen = co_await read_events(std::move(wanted), {of.after + 1, of.last});
    if (!seen && is_too_much(seen.error()))
        co_return extent::all;
    if (!seen)
        co_return seen.error();
    of.is_read = true;
    if (seen->transactions.size() == of.nonces - of.nonces_before)
    {
        of.nonces_before = of.nonces;
        co_return extent::all;
    }
    if (seen->transactions.empty())
        co_return extent::all;
    of.after = seen->last_block;
    const auto nonces = co_await nonces_at(of.after);
    if (!nonces)
        co_return nonces.error();
    if (*nonces)
        of.nonces_before = **nonces;
    co_return *nonces ? extent::all : extent::unknown;
}

mint_search::reach mint_search::look_at_block(std::uint64_t number)
{
    const auto found = co_await node_.block_at(number);
    if (!found && !is_lack(found.error()))
        co_return found.error();
    if (!found || !*found || !(*found)->hash)
        co_return extent::unknown;
    json::object wanted = filter();
    wanted["blockHash"] = evm::to_hex(*(*found)->hash);
    const auto seen = co_await read_events(std::move(wanted), {number, number});
    if (!seen && !is_lack(seen.error()))
        co_return seen.error();
    co_return seen ? extent::all : extent::unknown;
}

mint_search::reach mint_search::look_twice(blocks old)
{
    const auto first = co_await read_all(old);
    if (!first)
        co_return first.error();
    if (!*first)
        co_return extent::unknown;
    const auto second = co_await read_all(old);
    if (!second)
        co_return second.error();
    co_return *first == *second ? extent::all : extent::unknown;
}

chain_questions::answer<std::optional<mint_search::sighting>> mint_search::read_all(blocks of)
{
    sighting all;
    std::vector<blocks> open{of};
    while (!open.empty())
    {
        const blocks next = open.back();
        open.pop_back();
        json::object wanted = filter();
        wanted["fromBlock"] = evm::to_quantity(next.first);
        wanted["toBlock"] = evm::to_quantity(next.last);
        auto seen = co_await read_events(std::move(wanted), next);
        if (seen)
        {
            all.transactions.merge(seen->transactions);
            all.last_block = std::max(all.last_block, seen->last_block);
            continue;
        }
        if (!is_too_much(seen.error()))
            co_return seen.error();
        if (next.first == next.last)
            co_return std::optional<sighting>();
        const std::uint64_t middle = next.first + (next.last - next.first) / 2;
        open.push_back({next.first, middle});
        open.push_back({middle + 1, next.last});
    }
    co_return std::optional(std::move(all));
}

chain_questions::answer<earlier_mint> mint_search::judge(extent seen, std::uint64_t nonces)
{
    for (const auto& [id, transaction] : mints_)
    {
        const auto said = co_await node_.call(erc8004::owner_of_call(id), evm::to_quantity(head_));
        // Of an agent that was minted by then, there is an owner.
        if (!said && said.error().code() == errc::refused)
            co_return earlier_mint{};
        if (!said)
            co_return said.error();
        const auto owner = erc8004::read_address(*said);
        if (!owner)
            co_return rpc_error(owner.error().within("ownerOf"));
        if (*owner == account_)
            co_return earlier_mint{true, id, transaction, nonces};
    }
    const bool is_certain = seen == extent::all;
    co_return earlier_mint{is_certain, std::nullopt, std::nullopt, is_certain ? nonces : 0};
}

}  // namespace portitor::registrar

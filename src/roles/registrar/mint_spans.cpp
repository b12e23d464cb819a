#include "mint_search.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <boost/json/object.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace json = boost::json;
using evm::rpc_error;

namespace {

// What takes too long for so few blocks would for fewer, too.
constexpr std::uint64_t quick_blocks = 1000;

/// Whether fewer blocks at a time may do: a list that is too long comes as no answer at all.
bool is_too_much(const rpc_error& why)
{
    return evm::is_lack(why) || why.code() == errc::protocol;
}

}  // namespace

mint_search::reach mint_search::look_through(span all)
{
    std::vector<span> open{all};
    while (!open.empty())
    {
        span next = open.back();
        open.pop_back();
        reached(next.after, next.nonces_before);
        if (is_turn_over())
            co_return extent::paused;
        if (next.nonces_before == next.nonces && next.after <= settled_)
            reached(std::min(next.last, settled_), next.nonces);
        const bool is_short = next.last - next.after <= memory_->span.most();
        if (!next.is_read && is_short && next.nonces_before < next.nonces)
        {
            const auto seen = co_await read_span(next);
            if (!seen || *seen != extent::all)
                co_return seen;
            reached(next.after, next.nonces_before);
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
        const std::uint64_t middle = middle_of(next);
        const auto nonces = co_await nonces_at(middle);
        if (!nonces)
            co_return nonces.error();
        if (!*nonces)
            co_return extent::unknown;
        open.push_back({middle, **nonces, next.last, next.nonces, next.is_read});
        open.push_back({next.after, next.nonces_before, middle, **nonces, next.is_read});
    }
    reached(all.last, all.nonces);
    co_return extent::all;
}

/// So that the parts will be as long as is allowed.
std::uint64_t mint_search::middle_of(const span& of) const
{
    const std::uint64_t blocks = of.last - of.after;
    const std::uint64_t most = memory_->span.most();
    if (of.is_read || blocks <= most)
        return of.after + blocks / 2;
    const std::uint64_t parts = (blocks - 1) / most + 1;
    return of.after + most * (parts / 2);
}

/// Leaves of the span what its events do not account for.
mint_search::reach mint_search::read_span(span& of)
{
    const auto seen = co_await read_blocks({of.after + 1, of.last});
    if (!seen && is_too_much(seen.error()))
        co_return extent::all;
    if (!seen)
        co_return seen.error();
    of.is_read = true;
    if (seen->transactions.size() == of.nonces - of.nonces_before)
    {
        of.after = of.last;
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
    if (!found && !evm::is_lack(found.error()))
        co_return found.error();
    if (!found || !*found || !(*found)->hash)
        co_return extent::unknown;
    json::object wanted = filter();
    wanted["blockHash"] = evm::to_hex(*(*found)->hash);
    const auto seen = co_await read_events(std::move(wanted), {number, number});
    if (!seen && !evm::is_lack(seen.error()))
        co_return seen.error();
    co_return seen ? extent::all : extent::unknown;
}

/// The blocks whose state the node does not keep.
mint_search::reach mint_search::look_twice()
{
    while (proven_.to < settled_)
    {
        if (is_turn_over())
            co_return extent::paused;
        const std::uint64_t many = std::min(memory_->span.most(), settled_ - proven_.to);
        const blocks next{proven_.to + 1, proven_.to + many};
        const auto first = co_await read_blocks(next);
        const auto second = first ? co_await read_blocks(next) : first;
        if (!second && !is_too_much(second.error()))
            co_return second.error();
        // Fewer of them are asked for then.
        if (!second && many > 1)
            continue;
        if (!second || *first != *second)
            co_return extent::unknown;
        reached(next.last, std::nullopt);
    }
    co_return extent::all;
}

/// Learns from older blocks how many may be asked for: of the newest ones, a node may simply lack some.
chain_questions::answer<mint_search::sighting> mint_search::read_blocks(blocks of)
{
    const std::uint64_t many = of.last - of.first + 1;
    json::object wanted = filter();
    wanted["fromBlock"] = evm::to_quantity(of.first);
    wanted["toBlock"] = evm::to_quantity(of.last);
    auto seen = co_await read_events(std::move(wanted), of);
    if (of.last > settled_)
        co_return seen;
    if (seen)
        memory_->span.took(many);
    else if (is_too_much(seen.error()) || (seen.error().code() == errc::timed_out && many > quick_blocks))
        memory_->span.refused(many);
    co_return seen;
}

}  // namespace portitor::registrar

#include "chain_reader.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <boost/json/object.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace json = boost::json;
using evm::rpc_error;

namespace {

// A block's transactions are asked for one by one, since a list of them is too long.
constexpr std::size_t most_questions = 5000;
// Every node keeps the state of so many blocks.
constexpr std::uint64_t kept_blocks = 64;

struct found_transaction
{
    evm::word hash{};
    evm::address from;
    std::uint64_t nonce = 0;
};

std::optional<std::string_view> text_at(const json::object& from, std::string_view name)
{
    const json::value* found = from.if_contains(name);
    return found != nullptr && found->is_string() ? std::optional<std::string_view>(found->get_string())
                                                  : std::nullopt;
}

/// Of eth_getTransactionByBlockNumberAndIndex, for this block.
std::optional<found_transaction> read_transaction(const json::value& answer, std::uint64_t block)
{
    const json::object* object = answer.if_object();
    if (object == nullptr)
        return std::nullopt;
    found_transaction out;
    const auto from = evm::address::parse(text_at(*object, "from").value_or(""));
    const auto nonce = evm::parse_quantity(text_at(*object, "nonce").value_or(""));
    const auto hash = evm::parse_hex(text_at(*object, "hash").value_or(""), out.hash);
    if (!from || !nonce || !hash || *nonce > std::numeric_limits<std::uint64_t>::max())
        return std::nullopt;
    if (text_at(*object, "blockNumber") != evm::to_quantity(block))
        return std::nullopt;
    out.from = *from;
    out.nonce = static_cast<std::uint64_t>(*nonce);
    return out;
}

/// For one search; copies of its arguments, as coroutines need them.
class nonce_search
{
public:
    template <typename T>
    using answer = chain_questions::answer<T>;

    nonce_search(const chain_questions& node, evm::address account, std::uint64_t nonce)
        : node_(node.limited(most_questions)), account_(account), nonce_(nonce)
    {}

    answer<std::optional<nonce_taker>> run(std::uint64_t first, std::uint64_t head)
    {
        const auto taken = co_await is_taken(head);
        if (!taken)
            co_return taken.error();
        if (first > head || *taken != state::taken)
            co_return std::optional<nonce_taker>();
        auto block = co_await find_block(first - std::min<std::uint64_t>(first, 1), head);
        if (block && !*block)
            block = co_await find_recent(first, head);
        if (!block)
            co_return block.error();
        if (!*block)
            co_return std::optional<nonce_taker>();
        co_return co_await find_in_block(**block);
    }

private:
    enum class state
    {
        open,
        taken,
        unknown,  ///< the node lacks the block, or its state
    };

    answer<state> is_taken(std::uint64_t block)
    {
        const auto nonces = co_await node_.nonces(account_, evm::to_quantity(block));
        if (!nonces && evm::is_lack(nonces.error()))
            co_return state::unknown;
        if (!nonces)
            co_return nonces.error();
        co_return *nonces > nonce_ ? state::taken : state::open;
    }

    /// The block that took the nonce, if it was open after one block and is taken after the other.
    answer<std::optional<std::uint64_t>> find_block(std::uint64_t open, std::uint64_t taken)
    {
        while (taken - open > 1)
        {
            const std::uint64_t middle = open + (taken - open) / 2;
            const auto then = co_await is_taken(middle);
            if (!then)
                co_return then.error();
            if (*then == state::unknown)
                co_return std::optional<std::uint64_t>();
            (*then == state::taken ? taken : open) = middle;
        }
        co_return std::optional(taken);
    }

    answer<std::optional<std::uint64_t>> find_recent(std::uint64_t first, std::uint64_t head)
    {
        const std::uint64_t kept = head - std::min(head, kept_blocks);
        if (kept < first)
            co_return std::optional<std::uint64_t>();
        const auto then = co_await is_taken(kept);
        if (!then)
            co_return then.error();
        if (*then != state::open)
            co_return std::optional<std::uint64_t>();
        co_return co_await find_block(kept, head);
    }

    answer<std::optional<nonce_taker>> find_in_block(std::uint64_t block)
    {
        for (std::uint64_t index = 0;; ++index)
        {
            const auto said = co_await node_.ask(
                "eth_getTransactionByBlockNumberAndIndex",
                evm::params_of(evm::to_quantity(block), evm::to_quantity(index))
            );
            if (!said && !evm::is_lack(said.error()))
                co_return said.error();
            // No more of them, or the node lacks the block.
            if (!said || said->is_null())
                co_return std::optional<nonce_taker>();
            const auto read = read_transaction(*said, block);
            if (!read)
                co_return rpc_error(fail(errc::protocol, "the node's answer is no transaction of the block"));
            if (read->from == account_ && read->nonce == nonce_)
                co_return std::optional(nonce_taker{read->hash, block});
        }
    }

    chain_questions node_;
    evm::address account_;
    std::uint64_t nonce_;
};

}  // namespace

chain_reader::answer<std::optional<nonce_taker>> chain_reader::find_taker(
    evm::address account, std::uint64_t nonce, std::uint64_t from_block, std::uint64_t head
)
{
    nonce_search search(questions_, account, nonce);
    co_return co_await search.run(from_block, head);
}

}  // namespace portitor::registrar

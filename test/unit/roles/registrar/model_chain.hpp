#pragma once

#include "../../evm/scripted_client.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <map>
#include <set>

namespace portitor::test {

/// An account or a contract, told apart by a number.
inline evm::address account_of(std::uint8_t number)
{
    evm::address::bytes_type bytes{};
    bytes.back() = number;
    return evm::address(bytes);
}

/// A small chain with a registry of agents, and what nodes say of it: each has it to a block of its own.
class model_chain
{
public:
    enum class deed
    {
        mint,
        set_uri,
        hand_over,
        nothing,  ///< a transaction that the registry says nothing of
    };

    struct transaction
    {
        std::uint64_t block = 0;
        evm::address from;
        std::uint64_t nonce = 0;
        evm::word hash{};
        deed what = deed::nothing;
        u256 agent;
        std::string uri;
        evm::address to;
    };

    /// What a node has of the chain, and how it answers.
    struct view
    {
        std::uint64_t head = 0;
        std::uint64_t kept_blocks = 1'000'000;  ///< of whose end it has the state
        std::uint64_t longest_range = 1'000'000;
        bool refuses_later_blocks = false;  ///< in eth_getLogs: else they are taken for empty
    };

    const evm::address registry = account_of(99);
    std::vector<std::uint64_t> times{1000};  ///< of the blocks
    std::vector<std::uint64_t> branches{0};  ///< that the blocks belong to: one more with each reorganisation
    std::vector<transaction> transactions;
    std::map<std::string, std::size_t> asked;  ///< by method
    u256 next_agent = 0;

    std::uint64_t head() const { return times.size() - 1; }

    void add_block(std::uint64_t seconds)
    {
        times.push_back(times.back() + seconds);
        branches.push_back(branch_);
    }

    /// The newest blocks go, with their transactions.
    void reorganise(std::uint64_t depth)
    {
        times.resize(times.size() - depth);
        branches.resize(times.size());
        ++branch_;
        std::erase_if(transactions, [&](const transaction& each) { return each.block > head(); });
        next_agent = 0;
        for (const transaction& each : transactions)
            next_agent = each.what == deed::mint ? each.agent + 1 : next_agent;
    }

    evm::word block_hash(std::uint64_t number) const
    {
        return evm::to_word((u256(branches.at(number) + 1) << 64U) + number);
    }

    /// In the newest block.
    transaction& add(evm::address from, deed what)
    {
        transaction made;
        made.block = head();
        made.from = from;
        made.nonce = nonces(from, head());
        made.hash = evm::keccak256(fmt::format("transaction {}", made_++));
        made.what = what;
        return transactions.emplace_back(std::move(made));
    }

    u256 mint(evm::address by, std::string uri)
    {
        transaction& made = add(by, deed::mint);
        made.agent = next_agent++;
        made.uri = std::move(uri);
        return made.agent;
    }

    std::uint64_t nonces(evm::address of, std::uint64_t block) const
    {
        std::uint64_t count = 0;
        for (const transaction& each : transactions)
            count += each.from == of && each.block <= block ? 1 : 0;
        return count;
    }

    std::map<u256, evm::address> owners(std::uint64_t block) const
    {
        std::map<u256, evm::address> out;
        for (const transaction& each : transactions)
        {
            if (each.block <= block && each.what == deed::mint)
                out[each.agent] = each.from;
            if (each.block <= block && each.what == deed::hand_over)
                out[each.agent] = each.to;
        }
        return out;
    }

    scripted_client::answer answer(const scripted_client::seen& to, const view& node)
    {
        const boost::json::value call = boost::json::parse(to.message.body());
        const std::string method(call.at("method").as_string());
        ++asked[method];
        auto said = answer(method, call.at("params").as_array(), node);
        return rpc_answer(to, std::move(said));
    }

    static boost::json::object refusal(const char* words, int code = -32000)
    {
        return {{"error", boost::json::object{{"code", code}, {"message", words}}}};
    }

    template <typename T>
    static boost::json::object result_of(T&& value)
    {
        return {{"result", std::forward<T>(value)}};
    }

private:
    using object = boost::json::object;
    using value = boost::json::value;

    static std::string word(const u256& number) { return evm::to_hex(evm::to_word(number)); }

    std::uint64_t branch_ = 0;
    std::uint64_t made_ = 0;

    static std::uint64_t number_in(const value& from)
    {
        return static_cast<std::uint64_t>(evm::parse_quantity(std::string_view(from.as_string())).value());
    }

    object answer(const std::string& method, const boost::json::array& params, const view& node) const
    {
        if (method == "eth_chainId")
            return result_of("0x2105");
        if (method == "eth_getLogs")
            return logs(params.at(0).as_object(), node);
        if (method == "eth_getBlockByNumber")
            return block(number_in(params.at(0)), node);
        if (method == "eth_getTransactionByBlockNumberAndIndex")
            return transaction_at(number_in(params.at(0)), number_in(params.at(1)), node);
        const bool is_latest = params.at(1) == "latest";
        const std::uint64_t at = is_latest ? node.head : number_in(params.at(1));
        if (at > node.head)
            return refusal("header not found");
        if (at + node.kept_blocks <= node.head)
            return refusal("missing trie node 0123 (path ) state is not available");
        if (method == "eth_getTransactionCount")
            return result_of(evm::to_quantity(nonces(address_in(params.at(0)), at)));
        return called(params.at(0).at("data"), at);
    }

    static evm::address address_in(const value& from)
    {
        return evm::address::parse(std::string_view(from.as_string())).value();
    }

    object called(const value& data, std::uint64_t at) const
    {
        const auto bytes = evm::parse_hex(std::string_view(data.as_string())).value();
        const auto argument = std::span(bytes).subspan(4);
        const auto now = owners(at);
        const auto is = [&](const evm::bytes& of) {
            return std::equal(of.begin(), of.begin() + 4, bytes.begin());
        };
        if (is(erc8004::owner_of_call(0)))
        {
            const auto found = now.find(evm::abi_number(argument, 0).value());
            return found == now.end() ? refusal("execution reverted", 3)
                                      : result_of(evm::to_hex(evm::to_word(found->second)));
        }
        u256 count = 0;
        for (const auto& [id, owner] : now)
            count += owner == evm::abi_address(argument, 0).value() ? 1 : 0;
        return result_of(word(count));
    }

    object block(std::uint64_t number, const view& node) const
    {
        if (number > node.head)
            return result_of(nullptr);
        return result_of(object{
            {"number", evm::to_quantity(number)},
            {"timestamp", evm::to_quantity(times[number])},
            {"hash", evm::to_hex(block_hash(number))},
            {"baseFeePerGas", "0x7"}});
    }

    object transaction_at(std::uint64_t number, std::uint64_t index, const view& node) const
    {
        for (const transaction& each : transactions)
        {
            if (each.block != number || number > node.head || index-- != 0)
                continue;
            return result_of(object{
                {"from", each.from.to_string()},
                {"nonce", evm::to_quantity(each.nonce)},
                {"hash", evm::to_hex(each.hash)},
                {"blockNumber", evm::to_quantity(number)}});
        }
        return result_of(nullptr);
    }

    object logs(const object& filter, const view& node) const
    {
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        if (const value* hash = filter.if_contains("blockHash"))
        {
            const auto wanted = evm::parse_hex(std::string_view(hash->as_string())).value();
            first = static_cast<std::uint64_t>(evm::abi_number(wanted, 0).value() & 0xffff'ffffU);
            if (first > node.head || hash->as_string() != evm::to_hex(block_hash(first)))
                return refusal("unknown block");
            last = first;
        }
        else
        {
            first = number_in(filter.at("fromBlock"));
            last = number_in(filter.at("toBlock"));
            if (last > node.head && node.refuses_later_blocks)
                return refusal("block range extends beyond current head block");
            if (last - first >= node.longest_range)
                return refusal("eth_getLogs is limited to fewer blocks");
        }
        boost::json::array out;
        for (const transaction& each : transactions)
        {
            if (each.block >= first && each.block <= last && each.block <= node.head)
                add_event(out, each, filter.at("topics").as_array());
        }
        return result_of(std::move(out));
    }

    void add_event(boost::json::array& to, const transaction& of, const boost::json::array& wanted) const
    {
        if (of.what != deed::mint && of.what != deed::set_uri)
            return;
        const std::string kind = evm::to_hex(
            of.what == deed::mint ? erc8004::registered_topic()
                                  : evm::keccak256("URIUpdated(uint256,string,address)")
        );
        const std::string by = evm::to_hex(evm::to_word(of.from));
        const auto& kinds = wanted.at(0).as_array();
        const bool is_wanted = std::any_of(kinds.begin(), kinds.end(), [&](const value& each) {
            return each.as_string() == kind;
        });
        if (!is_wanted || wanted.at(2).as_string() != by)
            return;
        to.push_back(object{
            {"address", registry.to_string()},
            {"topics", boost::json::array{kind, word(of.agent), by}},
            {"data", evm::to_hex(evm::abi_values().add_string(of.uri).encode())},
            {"transactionHash", evm::to_hex(of.hash)},
            {"blockNumber", evm::to_quantity(of.block)},
            {"removed", false}});
    }
};

}  // namespace portitor::test

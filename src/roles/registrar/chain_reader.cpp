#include "chain_reader.hpp"

#include "mint_search.hpp"

#include <portitor/evm/abi.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <boost/json/object.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace json = boost::json;
using evm::rpc_error;
using evm::rpc_refusal;

namespace {

// More than this, in wei a unit or as gas, is nonsense, and sums of it must not overflow.
const u256 most_fee = u256(1) << 128U;
constexpr std::uint64_t most_gas = std::uint64_t(1) << 40U;
// So many blocks show what is paid.
constexpr std::size_t fee_blocks = 10;
// Where there is neither advice nor an example: what geth asks for when it makes blocks.
constexpr std::uint64_t least_priority = 1'000'000;

bool is_revert(const rpc_error& why)
{
    return why.code() == errc::refused && why.refusal() == rpc_refusal::reverted;
}

std::optional<u256> fee_of(const json::value& from)
{
    const auto read = evm::read_amount(from);
    return read && *read <= most_fee ? std::optional(*read) : std::nullopt;
}

const json::array* list_at(const json::object& from, std::string_view name)
{
    const json::value* found = from.if_contains(name);
    return found != nullptr ? found->if_array() : nullptr;
}

/// The median of what was paid; blocks without transactions say 0.
std::optional<u256> usual_priority(const json::object& history)
{
    const json::array* blocks = list_at(history, "reward");
    std::vector<u256> paid;
    for (const json::value& each : blocks != nullptr ? *blocks : json::array())
    {
        const json::array* percentiles = each.if_array();
        const auto fee =
            percentiles != nullptr && !percentiles->empty() ? fee_of(percentiles->front()) : std::nullopt;
        if (fee && *fee != 0)
            paid.push_back(*fee);
    }
    if (paid.empty())
        return std::nullopt;
    const auto middle = paid.begin() + static_cast<std::ptrdiff_t>(paid.size() / 2);
    std::nth_element(paid.begin(), middle, paid.end());
    return *middle;
}

/// Of eth_feeHistory to "latest".
std::optional<chain_head> read_history(const json::value& answer)
{
    const json::object* history = answer.if_object();
    const json::value* oldest = history != nullptr ? history->if_contains("oldestBlock") : nullptr;
    const auto first = oldest != nullptr ? evm::read_number(*oldest) : result<std::uint64_t>(0);
    const json::array* base_fees = history != nullptr ? list_at(*history, "baseFeePerGas") : nullptr;
    const json::array* used = history != nullptr ? list_at(*history, "gasUsedRatio") : nullptr;
    // The base fee of the next block is known, too.
    const bool shaped = oldest != nullptr && first && base_fees != nullptr && used != nullptr &&
                        !used->empty() && used->size() <= fee_blocks && base_fees->size() == used->size() + 1;
    const auto next = shaped ? fee_of(base_fees->back()) : std::nullopt;
    if (!next || *first > std::numeric_limits<std::uint64_t>::max() - fee_blocks)
        return std::nullopt;
    return chain_head{*first + used->size() - 1, *next, usual_priority(*history)};
}

json::array history_params()
{
    return evm::params_of(evm::to_quantity(fee_blocks), latest, json::array{50});
}

}  // namespace

chain_reader::answer<void> chain_reader::check_registry()
{
    const std::string where = questions_.registry().to_checksum();
    const auto said =
        co_await questions_.ask("eth_getCode", evm::params_of(questions_.registry().to_string(), latest));
    if (!said)
        co_return said.error();
    const auto code = evm::read_bytes(*said);
    if (!code)
        co_return rpc_error(code.error());
    if (code->empty())
        co_return rpc_error(fail(errc::invalid, "there is no contract at {}", where));
    const auto supports = co_await questions_.call(erc8004::supports_agents_call());
    if (!supports && !is_revert(supports.error()))
        co_return supports.error();
    const auto yes = supports ? evm::abi_number(*supports, 0) : result<u256>(0);
    if (!yes || *yes != 1)
        co_return rpc_error(fail(
            errc::invalid, "the contract at {} is no registry of agents: it has no ERC-721 tokens", where
        ));
    co_return evm::rpc_result<void>();
}

chain_reader::answer<chain_head> chain_reader::head()
{
    const auto history = co_await questions_.ask("eth_feeHistory", history_params());
    if (!history && history.error().code() != errc::refused)
        co_return history.error();
    const auto read = history ? read_history(*history) : std::nullopt;
    if (read)
        co_return *read;
    const auto said = co_await questions_.ask("eth_getBlockByNumber", evm::params_of(latest, false));
    if (!said)
        co_return said.error();
    const auto newest = evm::read_block(*said);
    if (!newest)
        co_return rpc_error(newest.error());
    const u256 base_fee = newest->base_fee.value_or(0);
    if (base_fee > most_fee)
        co_return rpc_error(fail(errc::protocol, "eth_getBlockByNumber: no such base fee can be"));
    co_return chain_head{newest->number, base_fee, std::nullopt};
}

chain_reader::answer<std::optional<evm::word>> chain_reader::block_hash(std::uint64_t number)
{
    const auto found = co_await questions_.block_at(number);
    if (!found)
        co_return found.error();
    if (!*found)
        co_return std::optional<evm::word>();
    if (!(*found)->hash)
        co_return rpc_error(fail(errc::protocol, "eth_getBlockByNumber: the block has no hash"));
    co_return (*found)->hash;
}

chain_reader::answer<std::optional<evm::receipt>> chain_reader::find_receipt(evm::word transaction)
{
    const auto said =
        co_await questions_.ask("eth_getTransactionReceipt", evm::params_of(evm::to_hex(transaction)));
    if (!said)
        co_return said.error();
    auto read = evm::read_receipt(*said, transaction);
    if (!read && read.error().code() == errc::not_found)
        co_return std::optional<evm::receipt>();
    if (!read)
        co_return rpc_error(read.error());
    co_return std::optional(*std::move(read));
}

chain_reader::answer<bool> chain_reader::knows(evm::word transaction)
{
    const auto said =
        co_await questions_.ask("eth_getTransactionByHash", evm::params_of(evm::to_hex(transaction)));
    if (!said)
        co_return said.error();
    co_return evm::rpc_result<bool>(said->is_object());
}

chain_reader::answer<std::uint64_t> chain_reader::mined_nonces(evm::address account)
{
    co_return co_await questions_.nonces(account, latest);
}

chain_reader::answer<earlier_mint> chain_reader::find_earlier(
    evm::address account, std::string uri_end, std::uint64_t not_before, chain_head head
)
{
    mint_search search(questions_, memory_, account, std::move(uri_end), head.number);
    co_return co_await search.run(not_before);
}

chain_reader::answer<std::optional<agent_on_chain>> chain_reader::find_agent(u256 agent_id)
{
    const auto said = co_await questions_.call(erc8004::owner_of_call(agent_id));
    if (!said && is_revert(said.error()))
        co_return std::optional<agent_on_chain>();
    if (!said)
        co_return said.error();
    const auto owner = erc8004::read_address(*said);
    if (!owner)
        co_return rpc_error(owner.error().within("ownerOf"));
    if (owner->is_zero())
        co_return std::optional<agent_on_chain>();
    const auto text = co_await questions_.call(erc8004::token_uri_call(agent_id));
    if (!text && is_revert(text.error()))
        co_return std::optional<agent_on_chain>();
    if (!text)
        co_return text.error();
    auto uri = erc8004::read_text(*text);
    if (!uri)
        co_return rpc_error(uri.error().within("tokenURI"));
    co_return std::optional(agent_on_chain{*owner, std::move(*uri)});
}

chain_reader::answer<evm::bytes> chain_reader::metadata(u256 agent_id, std::string key)
{
    const auto said = co_await questions_.call(erc8004::get_metadata_call(agent_id, key));
    if (!said)
        co_return said.error();
    const auto value = erc8004::read_text(*said);
    if (!value)
        co_return rpc_error(value.error().within("getMetadata"));
    co_return evm::bytes(value->begin(), value->end());
}

chain_reader::answer<std::uint64_t> chain_reader::estimate(evm::address account, evm::bytes data)
{
    json::object transaction{
        {"from", account.to_string()},
        {"to", questions_.registry().to_string()},
        {"data", evm::to_hex(data)}};
    const auto said = co_await questions_.ask("eth_estimateGas", evm::params_of(std::move(transaction)));
    if (!said)
        co_return said.error();
    const auto gas = evm::read_number(*said);
    if (!gas || *gas == 0 || *gas > most_gas)
        co_return rpc_error(fail(errc::protocol, "eth_estimateGas: the answer is no amount of gas"));
    co_return *gas;
}

chain_reader::answer<u256> chain_reader::priority_fee()
{
    const auto said = co_await questions_.ask("eth_maxPriorityFeePerGas", {});
    if (!said && said.error().code() != errc::refused)
        co_return said.error();
    const auto advice = said ? fee_of(*said) : std::nullopt;
    if (advice)
        co_return *advice;
    const auto history = co_await questions_.ask("eth_feeHistory", history_params());
    if (!history)
        co_return history.error();
    const auto paid = history->is_object() ? usual_priority(history->get_object()) : std::nullopt;
    co_return paid.value_or(least_priority);
}

chain_reader::answer<u256> chain_reader::balance(evm::address account)
{
    const auto said = co_await questions_.ask("eth_getBalance", evm::params_of(account.to_string(), latest));
    if (!said)
        co_return said.error();
    co_return as_answer(evm::read_amount(*said));
}

chain_reader::answer<void> chain_reader::send(evm::bytes raw)
{
    const auto said = co_await questions_.ask("eth_sendRawTransaction", evm::params_of(evm::to_hex(raw)));
    if (!said)
        co_return said.error();
    co_return evm::rpc_result<void>();
}

}  // namespace portitor::registrar

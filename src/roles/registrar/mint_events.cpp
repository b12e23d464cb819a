#include "mint_search.hpp"

#include <portitor/erc8004/identity_registry.hpp>
#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <boost/json/object.hpp>

#include <algorithm>

namespace portitor::registrar {

namespace json = boost::json;
using evm::rpc_error;

namespace {

const evm::word& uri_updated_topic()
{
    static const evm::word topic = evm::keccak256("URIUpdated(uint256,string,address)");
    return topic;
}

}  // namespace

json::object mint_search::filter() const
{
    json::array kinds{evm::to_hex(erc8004::registered_topic()), evm::to_hex(uri_updated_topic())};
    json::array topics;
    topics.emplace_back(std::move(kinds));
    topics.emplace_back(nullptr);
    topics.emplace_back(evm::to_hex(evm::to_word(account_)));
    return {{"address", node_.registry().to_string()}, {"topics", std::move(topics)}};
}

chain_questions::answer<mint_search::sighting> mint_search::read_events(json::object filter, blocks of)
{
    const auto said = co_await node_.ask("eth_getLogs", evm::params_of(std::move(filter)));
    if (!said)
        co_return said.error();
    const auto events = evm::read_logs(*said);
    if (!events)
        co_return rpc_error(events.error());
    sighting seen;
    for (const evm::log_entry& each : *events)
    {
        const auto taken = take(each, of, seen);
        if (!taken)
            co_return taken.error();
    }
    co_return seen;
}

/// What was not asked for is left out.
evm::rpc_result<void> mint_search::take(const evm::log_entry& event, blocks of, sighting& into)
{
    const bool is_asked_for = event.contract == node_.registry() && !event.removed &&
                              event.topics.size() == 3 && event.topics[2] == evm::to_word(account_) &&
                              event.transaction && event.block && *event.block >= of.first &&
                              *event.block <= of.last;
    if (!is_asked_for)
        return {};
    const bool is_mint = event.topics[0] == erc8004::registered_topic();
    if (!is_mint && event.topics[0] != uri_updated_topic())
        return {};
    if (is_mint)
    {
        const auto uri = evm::abi_string(event.data, 0);
        if (!uri)
            return rpc_error(uri.error().within("the event Registered"));
        if (uri->ends_with(uri_end_))
            mints_.emplace(evm::number_of(event.topics[1]), found_mint{*event.transaction, *event.block});
    }
    into.transactions.insert(*event.transaction);
    into.last_block = std::max(into.last_block, *event.block);
    return {};
}

}  // namespace portitor::registrar

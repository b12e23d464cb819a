#include "x402/settlement_trace.hpp"

#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <boost/json/object.hpp>

namespace portitor::x402 {

namespace json = boost::json;

std::unique_ptr<const settlement_trace>
make_settlement_trace(const payment& offered, const payment_requirement& wanted)
{
    const auto token = evm::address::parse(wanted.asset);
    if (!token || offered.kind == payment_kind::other)
        return nullptr;
    signed_payment of;
    of.token = *token;
    of.payer = offered.payer;
    of.pay_to = offered.pay_to;
    of.value = offered.value;
    of.valid_before = offered.valid_before;
    if (offered.kind == payment_kind::permit2)
    {
        const auto nonce = parse_u256(offered.nonce);
        if (!nonce)
            return nullptr;
        of.nonce = evm::to_word(*nonce);
        return make_permit2_trace(of);
    }
    if (!evm::parse_hex(offered.nonce, of.nonce))
        return nullptr;
    return make_eip3009_trace(of);
}

result<std::vector<nonce_event>> settlement_trace::read_events(const json::value& answer) const
{
    const auto logs = evm::read_logs(answer);
    if (!logs)
        return logs.error();
    std::vector<nonce_event> out;
    for (const evm::log_entry& each : *logs)
    {
        std::optional<nonce_event> event = each.removed ? std::nullopt : event_of(each);
        if (!event)
            continue;
        if (!each.transaction || !each.block)
            return fail(errc::protocol, "the node's answer is not a log with its transaction and block");
        event->transaction = *each.transaction;
        event->block = *each.block;
        out.push_back(*event);
    }
    return out;
}

evm::word topic_of(std::string_view hex)
{
    evm::word out{};
    evm::parse_hex(hex, out).value();
    return out;
}

bool is_of(const evm::log_entry& what, std::string_view topic)
{
    return !what.topics.empty() && what.topics.front() == topic_of(topic);
}

bool pays(const evm::log_entry& what, const signed_payment& of)
{
    return what.contract == of.token && is_of(what, transfer_topic) && what.topics.size() == 3 &&
           what.topics[1] == evm::to_word(of.payer) && what.topics[2] == evm::to_word(of.pay_to) &&
           what.data.size() == sizeof(evm::word) && evm::abi_number(what.data, 0).value() == of.value;
}

json::array call_params(const std::string& to, const std::string& data, std::uint64_t block)
{
    json::object call;
    call["to"] = to;
    call["data"] = data;
    return evm::params_of(std::move(call), evm::to_quantity(block));
}

json::array logs_params(json::value contracts, json::array topics, std::uint64_t first, std::uint64_t last)
{
    json::object filter;
    filter["address"] = std::move(contracts);
    filter["fromBlock"] = evm::to_quantity(first);
    filter["toBlock"] = evm::to_quantity(last);
    filter["topics"] = std::move(topics);
    return evm::params_of(std::move(filter));
}

}  // namespace portitor::x402

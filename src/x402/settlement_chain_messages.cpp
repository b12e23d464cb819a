#include "x402/settlement_chain_messages.hpp"

#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/json_rpc.hpp>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

error odd(std::string_view what)
{
    return fail(errc::protocol, "the node's answer is not {}", what);
}

evm::word word_of(std::string_view hex)
{
    evm::word out{};
    evm::parse_hex(hex, out).value();
    return out;
}

bool is_of(const evm::log_entry& what, std::string_view topic)
{
    return !what.topics.empty() && what.topics.front() == word_of(topic);
}

bool ends(const evm::log_entry& what, const authorization_query& about, std::string_view topic)
{
    return is_of(what, topic) && what.topics.size() == 3 && what.topics[1] == evm::to_word(about.payer) &&
           what.topics[2] == about.nonce;
}

bool pays(const evm::log_entry& what, const authorization_query& about)
{
    return is_of(what, transfer_topic) && what.topics.size() == 3 &&
           what.topics[1] == evm::to_word(about.payer) && what.topics[2] == evm::to_word(about.pay_to) &&
           what.data.size() == sizeof(evm::word) && evm::abi_number(what.data, 0).value() == about.value;
}

// One transaction may use several authorizations, some of them for something else, so a fitting transfer
// somewhere in it proves nothing: it must be the one of this authorization. Tokens announce the use and then
// the transfer; where only one authorization is used, the order does not matter.
bool paid_by(const std::vector<evm::log_entry>& events, const authorization_query& about)
{
    bool ours = false;
    bool ours_seen = false;
    bool any_pays = false;
    std::size_t used = 0;
    for (const evm::log_entry& each : events)
    {
        if (each.contract != about.token)
            continue;
        if (is_of(each, authorization_used_topic))
        {
            ++used;
            ours = ends(each, about, authorization_used_topic);
            ours_seen = ours_seen || ours;
        }
        else if (is_of(each, transfer_topic))
        {
            if (ours && pays(each, about))
                return true;
            any_pays = any_pays || pays(each, about);
            ours = false;
        }
    }
    return used == 1 && ours_seen && any_pays;
}

}  // namespace

std::optional<authorization_query>
make_authorization_query(const payment& offered, const payment_requirement& wanted)
{
    const auto token = evm::address::parse(wanted.asset);
    authorization_query out;
    if (offered.kind != payment_kind::eip3009 || !token || !evm::parse_hex(offered.nonce, out.nonce))
        return std::nullopt;
    out.token = *token;
    out.payer = offered.payer;
    out.pay_to = offered.pay_to;
    out.value = offered.value;
    out.valid_before = offered.valid_before;
    return out;
}

json::array authorization_state_call(const authorization_query& about, std::uint64_t block)
{
    json::object call;
    call["to"] = about.token.to_string();
    call["data"] = std::string(authorization_state_selector) +
                   evm::to_hex(evm::to_word(about.payer)).substr(2) + evm::to_hex(about.nonce).substr(2);
    json::array out;
    out.emplace_back(std::move(call));
    out.emplace_back(evm::to_quantity(block));
    return out;
}

result<bool> read_authorization_state(const json::value& answer)
{
    const auto data = evm::read_bytes(answer);
    const auto number =
        data && data->size() == sizeof(evm::word) ? evm::abi_number(*data, 0) : odd("a boolean");
    if (!number || *number > 1)
        return odd("a boolean");
    return *number == 1;
}

json::array authorization_logs_filter(const authorization_query& about, std::uint64_t from, std::uint64_t to)
{
    json::array either;
    either.emplace_back(std::string(authorization_used_topic));
    either.emplace_back(std::string(authorization_canceled_topic));
    json::array topics;
    topics.emplace_back(std::move(either));
    topics.emplace_back(evm::to_hex(evm::to_word(about.payer)));
    topics.emplace_back(evm::to_hex(about.nonce));
    json::object filter;
    filter["address"] = about.token.to_string();
    filter["fromBlock"] = evm::to_quantity(from);
    filter["toBlock"] = evm::to_quantity(to);
    filter["topics"] = std::move(topics);
    json::array out;
    out.emplace_back(std::move(filter));
    return out;
}

result<std::optional<authorization_end>>
read_authorization_logs(const authorization_query& about, const json::value& answer)
{
    const auto events = evm::read_logs(answer);
    if (!events)
        return events.error();
    for (const evm::log_entry& each : *events)
    {
        const bool canceled = ends(each, about, authorization_canceled_topic);
        const bool used = ends(each, about, authorization_used_topic);
        if (each.contract != about.token || each.removed || !(canceled || used))
            continue;
        if (!each.transaction || !each.block)
            return odd("a log with its transaction and block");
        return authorization_end{canceled, evm::to_hex(*each.transaction), *each.block};
    }
    return std::nullopt;
}

result<bool>
read_transfer(const authorization_query& about, std::string_view transaction, const json::value& receipt)
{
    const auto read = evm::read_receipt(receipt, word_of(transaction));
    if (!read)
        return read.error();
    // One that failed has no logs, so the node contradicts itself.
    if (!read->succeeded)
        return odd("the receipt of a transaction that succeeded");
    return paid_by(read->logs, about);
}

}  // namespace portitor::x402

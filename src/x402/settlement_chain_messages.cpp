#include "x402/settlement_chain_messages.hpp"

#include "x402/json.hpp"

#include <algorithm>
#include <limits>

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

evm::word word_of(const evm::address& account)
{
    evm::word out{};
    std::copy(account.bytes().begin(), account.bytes().end(), out.begin() + 12);
    return out;
}

u256 number_of(const evm::word& word)
{
    u256 out = 0;
    for (const std::uint8_t byte : word)
        out = out * 256 + byte;
    return out;
}

std::optional<evm::word> read_word(const json::value& from)
{
    const json::string* text = from.if_string();
    evm::word out{};
    if (text == nullptr || !evm::parse_hex(view(*text), out))
        return std::nullopt;
    return out;
}

std::optional<evm::word> word_member(const json::object& from, std::string_view name)
{
    const json::value* member = from.if_contains(name);
    return member != nullptr ? read_word(*member) : std::nullopt;
}

std::optional<std::uint64_t> number_member(const json::object& from, std::string_view name)
{
    const json::string* text = string_member(from, name);
    if (text == nullptr)
        return std::nullopt;
    const auto number = evm::parse_quantity(view(*text));
    if (!number || *number > std::numeric_limits<std::uint64_t>::max())
        return std::nullopt;
    return static_cast<std::uint64_t>(*number);
}

// An event, as far as it matters here. Words of the data beyond the first are not looked at.
struct event
{
    evm::address contract;
    std::vector<evm::word> topics;
    std::optional<evm::word> data;  // where it is one word
    std::optional<evm::word> transaction;
    std::optional<std::uint64_t> block;
    bool removed = false;
};

std::optional<event> read_event(const json::value& from)
{
    const json::object* object = from.if_object();
    if (object == nullptr)
        return std::nullopt;
    const json::string* address = string_member(*object, "address");
    const json::value* topics = object->if_contains("topics");
    if (address == nullptr || topics == nullptr || !topics->is_array())
        return std::nullopt;
    const auto contract = evm::address::parse(view(*address));
    if (!contract)
        return std::nullopt;

    event out;
    out.contract = *contract;
    for (const json::value& each : topics->get_array())
    {
        const auto topic = read_word(each);
        if (!topic)
            return std::nullopt;
        out.topics.push_back(*topic);
    }
    out.data = word_member(*object, "data");
    out.transaction = word_member(*object, "transactionHash");
    out.block = number_member(*object, "blockNumber");
    out.removed = bool_member(*object, "removed").value_or(false);
    return out;
}

result<std::vector<event>> read_events(const json::value* from)
{
    const json::array* all = from != nullptr ? from->if_array() : nullptr;
    if (all == nullptr)
        return odd("a list of logs");
    std::vector<event> out;
    out.reserve(all->size());
    for (const json::value& each : *all)
    {
        auto read = read_event(each);
        if (!read)
            return odd("a list of logs");
        out.push_back(*std::move(read));
    }
    return out;
}

bool is_of(const event& what, std::string_view topic)
{
    return !what.topics.empty() && what.topics.front() == word_of(topic);
}

bool ends(const event& what, const authorization_query& about, std::string_view topic)
{
    return is_of(what, topic) && what.topics.size() == 3 && what.topics[1] == word_of(about.payer) &&
           what.topics[2] == about.nonce;
}

bool pays(const event& what, const authorization_query& about)
{
    return is_of(what, transfer_topic) && what.topics.size() == 3 && what.topics[1] == word_of(about.payer) &&
           what.topics[2] == word_of(about.pay_to) && what.data && number_of(*what.data) == about.value;
}

// One transaction may use several authorizations, some of them for something else, so a fitting transfer
// somewhere in it proves nothing: it must be the one of this authorization. Tokens announce the use and then
// the transfer; where only one authorization is used, the order does not matter.
bool paid_by(const std::vector<event>& events, const authorization_query& about)
{
    bool ours = false;
    bool ours_seen = false;
    bool any_pays = false;
    std::size_t used = 0;
    for (const event& each : events)
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

result<chain_block> read_block(const json::value& answer)
{
    const json::object* object = answer.if_object();
    const auto number = object != nullptr ? number_member(*object, "number") : std::nullopt;
    const auto timestamp = object != nullptr ? number_member(*object, "timestamp") : std::nullopt;
    if (!number || !timestamp)
        return odd("a block");
    return chain_block{*number, *timestamp};
}

json::array authorization_state_call(const authorization_query& about, std::uint64_t block)
{
    json::object call;
    call["to"] = about.token.to_string();
    call["data"] = std::string(authorization_state_selector) + evm::to_hex(word_of(about.payer)).substr(2) +
                   evm::to_hex(about.nonce).substr(2);
    json::array out;
    out.emplace_back(std::move(call));
    out.emplace_back(evm::to_quantity(block));
    return out;
}

result<bool> read_authorization_state(const json::value& answer)
{
    const auto word = read_word(answer);
    if (!word || number_of(*word) > 1)
        return odd("a boolean");
    return number_of(*word) == 1;
}

json::array authorization_logs_filter(const authorization_query& about, std::uint64_t from, std::uint64_t to)
{
    json::array either;
    either.emplace_back(std::string(authorization_used_topic));
    either.emplace_back(std::string(authorization_canceled_topic));
    json::array topics;
    topics.emplace_back(std::move(either));
    topics.emplace_back(evm::to_hex(word_of(about.payer)));
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
    const auto events = read_events(&answer);
    if (!events)
        return events.error();
    for (const event& each : *events)
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
    if (receipt.is_null())
        return fail(errc::not_found, "the node has no receipt of the transaction");
    const json::object* object = receipt.if_object();
    if (object == nullptr)
        return odd("a receipt");
    const auto hash = word_member(*object, "transactionHash");
    if (!hash || evm::to_hex(*hash) != transaction)
        return odd("the receipt of this transaction");
    // One that failed has no logs, so the node contradicts itself.
    if (number_member(*object, "status") != std::uint64_t{1})
        return odd("the receipt of a transaction that succeeded");
    const auto events = read_events(object->if_contains("logs"));
    if (!events)
        return events.error();
    return paid_by(*events, about);
}

}  // namespace portitor::x402

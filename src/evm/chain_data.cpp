#include <portitor/evm/chain_data.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/json_rpc.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <limits>

namespace portitor::evm {

namespace json = boost::json;

namespace {

error odd(std::string_view what)
{
    return fail(errc::protocol, "the node's answer is not {}", what);
}

std::string_view text_of(const json::value& from)
{
    const json::string* text = from.if_string();
    return text != nullptr ? std::string_view(*text) : std::string_view();
}

const json::value& member(const json::object& from, std::string_view name)
{
    static const json::value none;
    const json::value* found = from.if_contains(name);
    return found != nullptr ? *found : none;
}

std::optional<word> word_at(const json::object& from, std::string_view name)
{
    word out{};
    return parse_hex(text_of(member(from, name)), out) ? std::optional(out) : std::nullopt;
}

template <typename T>
std::optional<T> valid(result<T> read)
{
    return read ? std::optional<T>(std::move(*read)) : std::nullopt;
}

std::optional<log_entry> read_log(const json::value& from)
{
    const json::object* object = from.if_object();
    const json::array* topics = object != nullptr ? member(*object, "topics").if_array() : nullptr;
    if (topics == nullptr)
        return std::nullopt;
    const auto contract = address::parse(text_of(member(*object, "address")));
    auto data = parse_hex(text_of(member(*object, "data")));
    if (!contract || !data)
        return std::nullopt;
    log_entry out;
    out.contract = *contract;
    out.data = std::move(*data);
    for (const json::value& each : *topics)
    {
        if (!parse_hex(text_of(each), out.topics.emplace_back()))
            return std::nullopt;
    }
    out.transaction = word_at(*object, "transactionHash");
    out.block = valid(read_number(member(*object, "blockNumber")));
    const bool* removed = member(*object, "removed").if_bool();
    out.removed = removed != nullptr && *removed;
    return out;
}

}  // namespace

result<block> read_block(const json::value& answer)
{
    if (answer.is_null())
        return fail(errc::not_found, "the node has no such block");
    const json::object* object = answer.if_object();
    if (object == nullptr)
        return odd("a block");
    const auto number = read_number(member(*object, "number"));
    const auto timestamp = read_number(member(*object, "timestamp"));
    if (!number || !timestamp)
        return odd("a block");
    return block{
        *number, *timestamp, word_at(*object, "hash"), valid(read_amount(member(*object, "baseFeePerGas")))};
}

result<std::optional<block>> read_block_at(const json::value& answer, std::uint64_t number)
{
    const auto read = read_block(answer);
    if (!read && read.error().code() == errc::not_found)
        return std::optional<block>();
    if (!read)
        return read.error();
    if (read->number != number)
        return odd("the block that was asked for");
    return std::optional(*read);
}

result<std::vector<log_entry>> read_logs(const json::value& answer)
{
    const json::array* all = answer.if_array();
    if (all == nullptr)
        return odd("a list of logs");
    std::vector<log_entry> out;
    out.reserve(all->size());
    for (const json::value& each : *all)
    {
        auto read = read_log(each);
        if (!read)
            return odd("a list of logs");
        out.push_back(*std::move(read));
    }
    return out;
}

result<receipt> read_receipt(const json::value& answer, const word& transaction)
{
    if (answer.is_null())
        return fail(errc::not_found, "the node has no receipt of the transaction");
    const json::object* object = answer.if_object();
    if (object == nullptr)
        return odd("a receipt");
    if (word_at(*object, "transactionHash") != transaction)
        return odd("the receipt of this transaction");
    const auto status = read_number(member(*object, "status"));
    auto logs = read_logs(member(*object, "logs"));
    if (!status || *status > 1 || !logs)
        return odd("a receipt");
    const auto amount = [&](const char* name) {
        return valid(read_amount(member(*object, name))).value_or(0);
    };
    return receipt{
        *status == 1,
        valid(read_number(member(*object, "blockNumber"))),
        word_at(*object, "blockHash"),
        amount("gasUsed"),
        amount("effectiveGasPrice"),
        amount("l1Fee"),
        std::move(*logs)};
}

result<sent_call> read_sent_call(const json::value& answer, const word& transaction)
{
    if (answer.is_null())
        return fail(errc::not_found, "the node has no such transaction");
    const json::object* object = answer.if_object();
    if (object == nullptr || word_at(*object, "hash") != transaction)
        return odd("the transaction that was asked for");
    sent_call out;
    const json::value& to = member(*object, "to");
    const auto contract = address::parse(text_of(to));
    auto data = parse_hex(text_of(member(*object, "input")));
    if ((!contract && !to.is_null()) || !data)
        return odd("a transaction");
    if (contract)
        out.to = *contract;
    out.data = std::move(*data);
    return out;
}

result<std::uint64_t> read_number(const json::value& answer)
{
    const auto number = read_amount(answer);
    if (!number || *number > std::numeric_limits<std::uint64_t>::max())
        return odd("a number of 64 bits");
    return static_cast<std::uint64_t>(*number);
}

result<u256> read_amount(const json::value& answer)
{
    const auto number = parse_quantity(text_of(answer));
    return number ? result<u256>(*number) : odd("a hexadecimal quantity");
}

result<bytes> read_bytes(const json::value& answer)
{
    auto read = parse_hex(text_of(answer));
    return read ? result<bytes>(std::move(*read)) : odd("hexadecimal data");
}

}  // namespace portitor::evm

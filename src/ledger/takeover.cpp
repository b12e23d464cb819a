#include "ledger/takeover.hpp"

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <array>
#include <utility>

namespace portitor::ledger {

namespace json = boost::json;

using namespace x402;

namespace {

json::object terms_json(const payment_requirement& wanted, json::storage_ptr memory)
{
    json::object out(std::move(memory));
    out["network"] = wanted.network;
    out["v1Network"] = wanted.v1_network;
    out["maxTimeoutSeconds"] = wanted.max_timeout_seconds;
    out["resource"] = wanted.resource_url;
    out["description"] = wanted.description;
    out["mimeType"] = wanted.mime_type;
    out["assetName"] = wanted.asset_name;
    out["assetVersion"] = wanted.asset_version;
    out["permit2"] = wanted.method == transfer_method::permit2;
    return out;
}

void read_terms(const json::object& from, payment_requirement& wanted)
{
    wanted.network = json::value_to<std::string>(from.at("network"));
    wanted.v1_network = json::value_to<std::string>(from.at("v1Network"));
    wanted.max_timeout_seconds = from.at("maxTimeoutSeconds").to_number<std::uint32_t>();
    wanted.resource_url = json::value_to<std::string>(from.at("resource"));
    wanted.description = json::value_to<std::string>(from.at("description"));
    wanted.mime_type = json::value_to<std::string>(from.at("mimeType"));
    wanted.asset_name = json::value_to<std::string>(from.at("assetName"));
    wanted.asset_version = json::value_to<std::string>(from.at("assetVersion"));
    wanted.method = from.at("permit2").as_bool() ? transfer_method::permit2 : transfer_method::eip3009;
}

// What the record's key does not say.
json::object payment_json(const payment& offered, json::storage_ptr memory)
{
    json::object out(std::move(memory));
    out["version"] = offered.version;
    out["scheme"] = offered.scheme;
    out["network"] = offered.network;
    out["kind"] = static_cast<int>(offered.kind);
    out["payTo"] = offered.pay_to.to_string();
    out["value"] = to_string(offered.value);
    if (offered.asset)
        out["asset"] = offered.asset->to_string();
    out["spender"] = offered.spender.to_string();
    out["validAfter"] = to_string(offered.valid_after);
    out["validBefore"] = to_string(offered.valid_before);
    return out;
}

evm::address address_of(const json::value& from)
{
    return evm::address::parse(json::value_to<std::string>(from)).value();
}

u256 number_of(const json::value& from)
{
    return parse_u256(json::value_to<std::string>(from)).value();
}

std::shared_ptr<const payment> read_payment(const json::object& from, const payment_key& key)
{
    auto out = std::make_shared<payment>();
    out->version = from.at("version").to_number<int>();
    out->scheme = json::value_to<std::string>(from.at("scheme"));
    out->network = json::value_to<std::string>(from.at("network"));
    const int kind = from.at("kind").to_number<int>();
    out->kind = kind == 0 ? payment_kind::eip3009 : kind == 1 ? payment_kind::permit2 : payment_kind::other;
    out->payer = evm::address::parse(key.payer()).value();
    out->pay_to = address_of(from.at("payTo"));
    out->value = number_of(from.at("value"));
    if (const json::value* asset = from.if_contains("asset"))
        out->asset = address_of(*asset);
    out->spender = address_of(from.at("spender"));
    out->valid_after = number_of(from.at("validAfter"));
    out->valid_before = number_of(from.at("validBefore"));
    out->nonce = key.nonce();
    return out;
}

json::object history_json(const settle_history& history, const json::storage_ptr& memory)
{
    json::object out(memory);
    out["doubt"] = history.doubt;
    out["failed"] = history.failed;
    out["doubtBeforeFailure"] = history.doubt_before_failure;
    out["unnamed"] = history.unnamed;
    out["open"] = json::array(history.open.begin(), history.open.end(), memory);
    out["told"] = json::array(history.told.begin(), history.told.end(), memory);
    return out;
}

settle_history read_history(const json::object& from)
{
    settle_history out;
    out.doubt = from.at("doubt").as_bool();
    out.failed = from.at("failed").as_bool();
    out.doubt_before_failure = from.at("doubtBeforeFailure").as_bool();
    out.unnamed = from.at("unnamed").as_bool();
    out.open = json::value_to<std::vector<std::string>>(from.at("open"));
    out.told = json::value_to<std::vector<std::string>>(from.at("told"));
    return out;
}

}  // namespace

std::string write_takeover(const payment_record& record)
{
    // Enough for most, so that it is freed at once.
    std::array<unsigned char, 8192> room{};
    json::monotonic_resource memory(room.data(), room.size());
    json::object out(&memory);
    if (record.terms)
        out["terms"] = terms_json(record.terms->wanted, &memory);
    if (record.offered)
        out["payment"] = payment_json(*record.offered, &memory);
    out["history"] = history_json(record.history, &memory);
    return json::serialize(out);
}

result<void> read_takeover(std::string_view text, payment_terms& terms, payment_record& record)
try
{
    const json::value parsed = json::parse({text.data(), text.size()});
    const json::object& from = parsed.as_object();
    if (const json::value* kept = from.if_contains("terms"))
        read_terms(kept->as_object(), terms.wanted);
    if (const json::value* kept = from.if_contains("payment"))
        record.offered = read_payment(kept->as_object(), record.key);
    record.history = read_history(from.at("history").as_object());
    return {};
}
catch (const std::exception& wrong)
{
    return fail(errc::invalid, "what is kept for a takeover cannot be read: {}", wrong.what());
}

}  // namespace portitor::ledger

#include "roles/registrar/request_status.hpp"

#include <portitor/evm/hex.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace portitor::registrar {

namespace json = boost::json;
using api::registration_phase;

namespace {

constexpr std::array<const char*, 4> operation_names{"register", "setAgentURI", "setMetadata", "retire"};

result<operation> read_operation(std::string_view text)
{
    for (std::size_t i = 0; i < operation_names.size(); ++i)
    {
        if (text == operation_names[i])
            return static_cast<operation>(i);
    }
    return fail(errc::invalid, "operation is none that this version knows");
}

result<evm::word> read_word(std::string_view text)
{
    evm::word out{};
    if (auto read = evm::parse_hex(text, out); !read)
        return read.error();
    return out;
}

result<std::uint64_t> read_count(const json::object& from, std::string_view key)
{
    const std::int64_t value = kube::int_at(from, key, -1);
    if (value < 0)
        return fail(errc::invalid, "{} is missing or no number", key);
    return static_cast<std::uint64_t>(value);
}

result<std::optional<mined>> read_mined(const json::object& record)
{
    const std::string transaction = kube::string_at(record, "minedTransaction");
    if (transaction.empty())
        return std::optional<mined>();
    const auto hash = read_word(transaction);
    const auto block_hash = read_word(kube::string_at(record, "minedBlockHash"));
    const auto block = read_count(record, "minedBlock");
    if (!hash || !block_hash || !block)
        return fail(errc::invalid, "minedTransaction, minedBlock or minedBlockHash is wrong");
    return std::optional(mined{*hash, *block, *block_hash});
}

result<void> read_hashes(const json::object& record, write_ahead& into)
{
    for (const json::value& each : kube::array_at(record, "transactionHashes"))
    {
        const auto hash = read_word(each.is_string() ? std::string_view(each.get_string()) : "");
        if (!hash)
            return hash.error().within("transactionHashes");
        into.hashes.push_back(*hash);
    }
    const auto raw = evm::parse_hex(kube::string_at(record, "rawTransaction"));
    if (!raw)
        return raw.error().within("rawTransaction");
    into.raw = *raw;
    // What is sent again must be what was promised.
    if (into.hashes.empty() || evm::keccak256(into.raw) != into.hashes.back())
        return fail(errc::invalid, "rawTransaction is not the last of transactionHashes");
    return {};
}

result<write_ahead> read_record(const json::object& record)
{
    write_ahead out;
    const auto what = read_operation(kube::string_at(record, "operation"));
    const auto account = evm::address::parse(kube::string_at(record, "account"));
    const auto nonce = read_count(record, "nonce");
    const auto attempt = read_count(record, "attempt");
    const auto from_block = read_count(record, "fromBlock");
    if (!what)
        return what.error();
    if (!account)
        return account.error().within("account");
    for (const auto* each : {&nonce, &attempt, &from_block})
    {
        if (!*each)
            return each->error();
    }
    out.what = *what;
    out.key = kube::string_at(record, "key");
    out.account = *account;
    out.nonce = *nonce;
    out.attempt = *attempt;
    out.from_block = *from_block;
    out.canceled_from =
        static_cast<std::uint64_t>(std::max<std::int64_t>(kube::int_at(record, "canceledFrom"), 0));
    out.started_at = from_rfc3339(kube::string_at(record, "startedAt"));
    if (auto hashes = read_hashes(record, out); !hashes)
        return hashes.error();
    auto in_block = read_mined(record);
    if (!in_block)
        return in_block.error();
    out.in_block = *in_block;
    out.confirmed = out.in_block && kube::bool_at(record, "confirmed");
    return out;
}

/// As Kubernetes has integers.
std::int64_t number(std::uint64_t value)
{
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, std::numeric_limits<std::int64_t>::max())
    );
}

json::object to_json(const write_ahead& record)
{
    json::array hashes;
    for (const evm::word& each : record.hashes)
        hashes.emplace_back(evm::to_hex(each));
    json::object out{
        {"operation", to_string(record.what)},
        {"account", record.account.to_checksum()},
        {"nonce", number(record.nonce)},
        {"attempt", number(record.attempt)},
        {"transactionHashes", std::move(hashes)},
        {"rawTransaction", evm::to_hex(record.raw)},
        {"fromBlock", number(record.from_block)},
        {"startedAt", to_rfc3339(record.started_at)},
    };
    if (!record.key.empty())
        out["key"] = record.key;
    if (record.canceled_from > 0)
        out["canceledFrom"] = number(record.canceled_from);
    if (record.in_block)
    {
        out["minedTransaction"] = evm::to_hex(record.in_block->transaction);
        out["minedBlock"] = number(record.in_block->block);
        out["minedBlockHash"] = evm::to_hex(record.in_block->block_hash);
        out["confirmed"] = record.confirmed;
    }
    return out;
}

bool is_good_end(registration_phase phase)
{
    return phase == registration_phase::confirmed || phase == registration_phase::off_chain_only ||
           phase == registration_phase::retired;
}

kube::condition condition_of(const request_status& status, std::int64_t generation)
{
    const char* state = is_good_end(status.phase)                    ? "True"
                        : status.phase == registration_phase::failed ? "False"
                                                                     : "Unknown";
    return {"Registered", state, status.reason, status.message, generation, {}};
}

}  // namespace

const char* to_string(operation value) noexcept
{
    return operation_names[static_cast<std::size_t>(value)];
}

result<request_status> read_request_status(const kube::object& request)
{
    const json::object& from = request.status();
    const api::registration_state known = api::read_registration_state(request);
    request_status out;
    out.phase = known.phase;
    const auto conditions = kube::parse_conditions(from);
    if (const auto* told = kube::find_condition(conditions, "Registered"))
    {
        out.reason = told->reason;
        out.message = told->message;
    }
    out.observed_generation = kube::int_at(from, "observedGeneration");
    if (!known.agent_id.empty())
    {
        const auto id = parse_u256(known.agent_id);
        if (!id)
            return id.error().within("status.agentId");
        out.agent_id = *id;
    }
    if (const auto hash = read_word(known.tx_hash))
        out.transaction = *hash;
    if (known.in_flight)
    {
        auto record = read_record(kube::object_at(from, "writeAhead"));
        if (!record)
            return record.error().within("status.writeAhead");
        out.under_way = std::move(*record);
    }
    if (const json::value* uri = from.if_contains("previousURI"); uri && uri->is_string())
        out.previous_uri = std::string(uri->get_string());
    out.sent_at = parse_rfc3339(kube::string_at(from, "sentAt"));
    out.changed_at = parse_rfc3339(kube::string_at(from, "changedAt"));
    out.failures =
        static_cast<std::uint32_t>(std::clamp<std::int64_t>(kube::int_at(from, "failures"), 0, 100));
    return out;
}

std::int64_t told_generation(const kube::object& request)
{
    const auto conditions = kube::parse_conditions(request.status());
    const auto* told = kube::find_condition(conditions, "Registered");
    return told ? told->observed_generation : 0;
}

bool has_touched_chain(const request_status& status)
{
    return status.under_way || status.agent_id || status.transaction;
}

bool holds_nonce(const request_status& status)
{
    return status.under_way && !status.under_way->in_block;
}

bool is_waiting(const request_status& status)
{
    return status.under_way && !status.under_way->confirmed;
}

std::string last_part(const std::string& uri)
{
    return uri.substr(uri.rfind('/') + 1);
}

std::string uri_end_of(const api::registration_request& request)
{
    return last_part(request.agent_uri);
}

json::object to_json(const request_status& status, const kube::object& live, clock::time_point now)
{
    std::vector<kube::condition> conditions{condition_of(status, live.meta.generation)};
    kube::keep_transition_times(conditions, kube::parse_conditions(live.status()), now);
    json::object out{{"phase", api::to_string(status.phase)}};
    out["conditions"] = json::array{kube::to_json(conditions.front())};
    if (status.phase != registration_phase::confirmed)
        out["errorMessage"] = status.message;
    if (status.observed_generation > 0)
        out["observedGeneration"] = status.observed_generation;
    if (status.agent_id)
        out["agentId"] = portitor::to_string(*status.agent_id);
    if (status.transaction)
        out["txHash"] = evm::to_hex(*status.transaction);
    if (status.under_way)
        out["writeAhead"] = to_json(*status.under_way);
    if (status.previous_uri)
        out["previousURI"] = *status.previous_uri;
    if (status.sent_at)
        out["sentAt"] = to_rfc3339(*status.sent_at);
    if (status.changed_at)
        out["changedAt"] = to_rfc3339(*status.changed_at);
    if (status.failures > 0)
        out["failures"] = static_cast<std::int64_t>(status.failures);
    return out;
}

}  // namespace portitor::registrar

#include "catch.hpp"
#include "roles/registrar/request_status.hpp"

#include <portitor/evm/hex.hpp>

#include <boost/json/parse.hpp>

using namespace portitor;
using namespace portitor::registrar;

namespace {

const clock::time_point noon{std::chrono::seconds(1'800'000'000)};

kube::object request_with(boost::json::object status)
{
    kube::object out;
    out.meta.generation = 3;
    out.raw = boost::json::parse(R"({"metadata":{"name":"hello-registration"},"spec":{}})").as_object();
    out.raw["status"] = std::move(status);
    return out;
}

request_status full()
{
    request_status out;
    out.phase = api::registration_phase::submitted;
    out.reason = "Submitted";
    out.message = "it is sent";
    out.observed_generation = 2;
    out.agent_id = u256(0);
    out.previous_uri = "";
    out.sent_at = noon;
    out.changed_at = noon;
    out.failures = 2;
    write_ahead record;
    record.what = operation::set_metadata;
    record.key = "colour";
    record.account = evm::address::parse("0x70997970c51812dc3a010c7d01b50e0d17dc79c8").value();
    record.nonce = 7;
    record.attempt = 2;
    record.raw = {2, 1, 2, 3};
    record.hashes = {evm::keccak256("first"), evm::keccak256(record.raw)};
    record.from_block = 84;
    record.started_at = noon;
    record.in_block = mined{record.hashes.front(), 90, evm::keccak256("block")};
    record.confirmed = true;
    out.under_way = record;
    out.transaction = record.hashes.front();
    return out;
}

}  // namespace

TEST_CASE("a request's status is read as it was written", "[registrar]")
{
    const request_status wanted = full();
    const auto read = read_request_status(request_with(to_json(wanted, request_with({}), noon)));
    REQUIRE(read.has_value());
    CHECK((*read == wanted));
    // Nothing of it is there before the first one.
    const auto none = read_request_status(request_with({}));
    REQUIRE(none.has_value());
    CHECK((*none == request_status()));
}

TEST_CASE("a record that was damaged is no record to go by", "[registrar]")
{
    const auto json = to_json(full(), request_with({}), noon);
    const auto bent = [&](const char* field, boost::json::value value) {
        auto status = json;
        status["writeAhead"].as_object()[field] = std::move(value);
        return read_request_status(request_with(status));
    };
    CHECK(bent("nonce", 7).has_value());
    const std::vector<std::pair<const char*, boost::json::value>> damages{
        {"operation", "burn"},
        {"account", "0x12"},
        {"nonce", -1},
        {"nonce", nullptr},
        {"attempt", "two"},
        {"fromBlock", nullptr},
        {"transactionHashes", boost::json::array()},
        {"transactionHashes", boost::json::array{"0x12"}},
        {"rawTransaction", "0x02"},
        {"rawTransaction", "none"},
        {"minedBlock", nullptr},
        {"minedBlockHash", "0x"},
    };
    for (const auto& [field, value] : damages)
    {
        CAPTURE(field, boost::json::serialize(value));
        const auto read = bent(field, value);
        REQUIRE_FALSE(read.has_value());
        CHECK(read.error().message().starts_with("status.writeAhead"));
    }
    auto status = json;
    status["agentId"] = "one";
    CHECK_FALSE(read_request_status(request_with(status)).has_value());
}

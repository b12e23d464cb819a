#include "catch.hpp"

#include <portitor/evm/chain_data.hpp>
#include <portitor/evm/hex.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

using namespace portitor;
namespace json = boost::json;

namespace {

constexpr const char* hash = "0x63cefef001a45deac8723b6f165154054c3e339e7d4d9d73dc161f7edf8ab576";

evm::word word_of(const char* hex)
{
    evm::word out{};
    evm::parse_hex(hex, out).value();
    return out;
}

json::object log()
{
    return json::parse(R"({"address":"0x8004a818bfb912233c491871b3d84c89a494bd9e",
        "topics":["0x63cefef001a45deac8723b6f165154054c3e339e7d4d9d73dc161f7edf8ab576"],"data":"0x0102",
        "blockNumber":"0x10","transactionHash":"0x63cefef001a45deac8723b6f165154054c3e339e7d4d9d73dc161f7edf8ab576"})"
    )
        .as_object();
}

json::object receipt()
{
    json::object out = json::parse(R"({"status":"0x1","blockNumber":"0x10","gasUsed":"0x5208",
        "effectiveGasPrice":"0x3b9aca00","l1Fee":"0x7","logsBloom":"0x00"})")
                           .as_object();
    out["transactionHash"] = hash;
    out["blockHash"] = hash;
    out["logs"] = json::array{log()};
    return out;
}

}  // namespace

TEST_CASE("a block, a log and a receipt are read as nodes write them", "[evm][chain]")
{
    const auto block = evm::read_block(
        {{"number", "0x10"}, {"timestamp", "0x65"}, {"hash", hash}, {"baseFeePerGas", "0x3b9aca00"}}
    );
    REQUIRE(block.has_value());
    CHECK(block->number == 16);
    CHECK(block->timestamp == 101);
    CHECK(block->hash == word_of(hash));
    CHECK(block->base_fee == u256(1'000'000'000));

    const auto read = evm::read_receipt(receipt(), word_of(hash));
    REQUIRE(read.has_value());
    CHECK(read->succeeded);
    CHECK(read->block == 16U);
    CHECK(read->gas_used * read->gas_price + read->l1_fee == 21'000'000'000'007);
    REQUIRE(read->logs.size() == 1);
    CHECK(read->logs[0].data == evm::bytes{1, 2});
    CHECK_FALSE(read->logs[0].removed);
}

TEST_CASE("what is not there yet is told apart from what is no answer", "[evm][chain]")
{
    CHECK(evm::read_block(nullptr).error().code() == errc::not_found);
    CHECK(evm::read_receipt(nullptr, word_of(hash)).error().code() == errc::not_found);
    // Of another transaction: a node that mixes them up proves nothing.
    CHECK(evm::read_receipt(receipt(), evm::word{}).error().code() == errc::protocol);
}

TEST_CASE("whatever else a node answers is refused, whole", "[evm][chain]")
{
    const json::value odd[] = {
        nullptr, 1, "", "0x", "0xzz", "16", json::array(), json::object(), true, "0x2"};
    for (const char* name : {"status", "logs", "transactionHash"})
    {
        for (const json::value& each : odd)
        {
            json::object changed = receipt();
            changed[name] = each;
            const bool is_list = each.is_array() && std::string_view(name) == "logs";
            CHECK(evm::read_receipt(changed, word_of(hash)).has_value() == is_list);
        }
    }
    for (const char* name : {"address", "topics", "data"})
    {
        for (const json::value& each : odd)
        {
            json::object changed = log();
            changed[name] = each;
            const bool is_empty = (std::string_view(name) == "topics" && each.is_array()) ||
                                  (std::string_view(name) == "data" && each == "0x");
            CHECK(evm::read_logs(json::array{changed}).has_value() == is_empty);
        }
    }
    CHECK(evm::read_number("0x10000000000000000").error().code() == errc::protocol);
    CHECK(evm::read_amount("0x10000000000000000").value() == u256("0x10000000000000000"));
    CHECK(evm::read_bytes("0x0g").error().code() == errc::protocol);
}

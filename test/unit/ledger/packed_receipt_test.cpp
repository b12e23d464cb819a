#include "catch.hpp"
#include "ledger/packed_receipt.hpp"

#include <portitor/x402/base64.hpp>

using namespace portitor;
using namespace portitor::ledger;
using x402::encode_base64;

namespace {

constexpr receipt_facts row{"eip155:84532", "0x70997970c51812dc3a010c7d01b50e0d17dc79c8", "0x89c9"};

std::string receipt(const std::string& network, const std::string& more = "")
{
    return encode_base64(
        R"({"success":true,"transaction":"0x89c9","network":")" + network +
        R"(","payer":"0x70997970c51812dc3a010c7d01b50e0d17dc79c8")" + more + "}"
    );
}

}  // namespace

TEST_CASE("a receipt that says no more than its row takes no room there", "[ledger][receipt]")
{
    CHECK(packed_receipt(receipt("eip155:84532"), row) == "=");
    CHECK(packed_receipt(receipt("base-sepolia"), row) == "=base-sepolia");
}

TEST_CASE("whatever a receipt is, it is told again to the byte", "[ledger][receipt]")
{
    std::string unpadded = receipt("eip155:84532");
    while (unpadded.ends_with('='))
        unpadded.pop_back();
    const std::string all[] = {
        "",
        "receipt",
        receipt("eip155:84532"),
        receipt("base-sepolia"),
        receipt(""),
        receipt("=eip155:1"),
        receipt(R"(eip155:84532","payer":"0x00)"),
        receipt("eip155:84532", R"(,"amount":"1000")"),
        unpadded,
        unpadded + "===",
        encode_base64("{}"),
        encode_base64(R"({"success":true,"transaction":"0x89c9","network":")"),
        encode_base64(R"({"success":true,"transaction":"","network":"eip155:84532","payer":""})"),
    };
    for (const std::string& each : all)
    {
        INFO(each);
        for (const receipt_facts& facts : {row, receipt_facts{}, receipt_facts{"=", "", ""}})
            CHECK(unpacked_receipt(packed_receipt(each, facts), facts) == each);
    }
}

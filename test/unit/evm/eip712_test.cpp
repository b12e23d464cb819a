#include "catch.hpp"

#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>

using namespace portitor;

TEST_CASE("a word is big-endian and filled from the left", "[evm][eip712]")
{
    const std::string zeros(64, '0');
    CHECK(evm::to_hex(evm::to_word(u256(0))) == "0x" + zeros);
    CHECK(evm::to_hex(evm::to_word(u256(1))) == "0x" + zeros.substr(1) + "1");
    CHECK(evm::to_hex(evm::to_word(u256(256))) == "0x" + zeros.substr(3) + "100");
    CHECK(
        evm::to_hex(evm::to_word(parse_u256("340282366920938463463374607431768211456").value())) ==
        "0x" + zeros.substr(33) + "1" + zeros.substr(32)
    );
    const u256 most = std::numeric_limits<u256>::max();
    CHECK(evm::to_hex(evm::to_word(most)) == "0x" + std::string(64, 'f'));
    CHECK(
        evm::to_hex(evm::to_word(evm::address::parse("0x70997970C51812dc3A010C7d01b50e0d17dc79C8").value())
        ) == "0x00000000000000000000000070997970c51812dc3a010c7d01b50e0d17dc79c8"
    );
}

// The example of EIP-712 itself: Example.sol and Example.js in its assets.
TEST_CASE("the example of EIP-712", "[evm][eip712]")
{
    const auto address = [](const char* text) { return evm::address::parse(text).value(); };
    const evm::word separator =
        evm::domain_separator({"Ether Mail", "1", 1, address("0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC")});
    CHECK(evm::to_hex(separator) == "0xf2cee375fa42b42143804025fc449deafd50cc031ca257e0b194a650a912090f");
    const evm::word person_type = evm::keccak256("Person(string name,address wallet)");
    const auto person = [&](std::string_view name, const char* wallet) {
        return evm::hash_struct(person_type, {evm::keccak256(name), evm::to_word(address(wallet))});
    };
    const evm::word mail = evm::hash_struct(
        evm::keccak256("Mail(Person from,Person to,string contents)Person(string name,address wallet)"),
        {person("Cow", "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"),
         person("Bob", "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"),
         evm::keccak256("Hello, Bob!")}
    );
    CHECK(evm::to_hex(mail) == "0xc52c0ee5d84264471806290a3f2c4cecfc5490626bf912d01f240d7a274b371e");
    CHECK(
        evm::to_hex(evm::typed_data_digest(separator, mail)) ==
        "0xbe609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2"
    );
}

TEST_CASE("a domain without a version has another type", "[evm][eip712]")
{
    const evm::address permit2 = evm::address::parse("0x000000000022D473030F116dDEE9F6B43aC78BA3").value();
    CHECK(
        evm::to_hex(evm::domain_separator({"Permit2", std::nullopt, 84532, permit2})) ==
        "0x010f27a92fb9a32622f44f001dc4d15706a85b33499cfc2ce9033113ab26592c"
    );
    CHECK(
        evm::domain_separator({"Permit2", std::nullopt, 84532, permit2}) !=
        evm::domain_separator({"Permit2", "", 84532, permit2})
    );
}

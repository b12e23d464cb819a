#include "catch.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/evm/private_key.hpp>
#include <portitor/evm/secp256k1.hpp>

#include <string>
#include <type_traits>

using namespace portitor;
using evm::private_key;

namespace {

// Keys that anyone may know.
constexpr const char* first_key = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

struct known_account
{
    const char* key;
    const char* address;
};

constexpr known_account accounts[] = {
    {"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
     "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"},
    {"0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
     "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"},
    {"0x0000000000000000000000000000000000000000000000000000000000000001",
     "0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf"},
    {"0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
     "0x80C0dbf239224071c59dD8970ab9d542E3414aB2"},
    {"0x0000000000000000000000000000000000000000000000000000000000abcdef",
     "0x47C043311DB033833aCbE820187743432CfFDB71"},
};

struct known_signature
{
    const char* key;
    const char* digest;
    const char* signature;
};

constexpr known_signature signatures[] = {
    {"0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
     "0x7b608a4b969db6725f5373740b7811350cd1148db1b903276958fa2a718326ba",
     "0xeae36c169c193ec4791b48a3d469bd0ff9f9b2edef5c1349bedcd0c501c3cff2006d0788285d4a"
     "884321fabe5a8428887c3581a82f1b32eeb2ea1011413746901c"},
    {"0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
     "0xba20cae9230ea9ea6ae097df7fc5630e6aaef5c63fce8092fbd6b8a3442cf98f",
     "0x983eaf3b227b4d53a537a8a30449ea340e36539f00336bebdb0307bf8836918f2c0cb7ecf8767f"
     "95db033ad2446e01734f31ed060dc29c839281e273e2af452f1b"},
    {"0x0000000000000000000000000000000000000000000000000000000000000001",
     "0x3208e49ad4810779c375302cc7de2c6af0eacf5b210d5ac07bcb60dd9ab3ef25",
     "0x68365c57d04bdfdb6ec3fb4b08a10ac593330d2396f09d06404452680c3667fd05ca9f511be1f9"
     "6a74b837f8d305501c75aba4e9df6ac58c3dc020add30cc3e41b"},
    {"0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
     "0xd7f5afb187184d14ee1f73e39816cea893dede1e77316e8c64e3ac04d7486224",
     "0xcd1091d950cc60b2427c8f562d58d2bd77e8a5eee183369521bb4e13a4e74b4641ceaf975ae3aa"
     "3333b4b5a46208fe6e9e86d0171ec83933bebb7b4ddcebbc461c"},
};

}  // namespace

TEST_CASE("a private key has its account's address", "[evm][private_key]")
{
    for (const known_account& each : accounts)
    {
        CAPTURE(each.address);
        const auto key = private_key::parse(each.key);
        REQUIRE(key.has_value());
        CHECK(key->address().to_checksum() == each.address);
        const auto bare = private_key::parse(std::string_view(each.key).substr(2));
        REQUIRE(bare.has_value());
        CHECK(bare->address() == key->address());
    }
}

TEST_CASE("a private key signs as wallets do", "[evm][private_key]")
{
    for (const known_signature& each : signatures)
    {
        CAPTURE(each.digest);
        evm::word digest{};
        REQUIRE(evm::parse_hex(each.digest, digest).has_value());
        const auto key = private_key::parse(each.key);
        REQUIRE(key.has_value());
        const evm::signature_bytes made = key->sign(digest);
        CHECK(evm::to_hex(made) == each.signature);
        CHECK(evm::recover(digest, made).value() == key->address());
    }
}

TEST_CASE("what is no private key is refused without quoting it", "[evm][private_key]")
{
    const std::string good = std::string(first_key).substr(2);
    for (const std::string& text :
         {std::string(),
          std::string("0x"),
          good.substr(1),
          good + "0",
          "0X" + good,
          "0x0x" + good.substr(2),
          good + "\n",
          good.substr(1) + "g",
          std::string(64, '0'),
          std::string("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"),
          std::string(64, 'f')})
    {
        CAPTURE(text);
        const auto refused = private_key::parse(text);
        REQUIRE(refused.has_error());
        CHECK(refused.error().code() == errc::invalid);
        CHECK(refused.error().message().find(good.substr(0, 16)) == std::string::npos);
    }
}

TEST_CASE("a private key can be moved and not copied", "[evm][private_key]")
{
    static_assert(!std::is_copy_constructible_v<private_key> && !std::is_copy_assignable_v<private_key>);
    auto from = private_key::parse(first_key).value();
    const evm::word digest = evm::keccak256("something signed");
    const auto before = from.sign(digest);
    const private_key to = std::move(from);
    CHECK(to.sign(digest) == before);
    // NOLINTNEXTLINE(bugprone-use-after-move): nothing of the key is left there.
    CHECK_THROWS_AS(from.sign(digest), std::logic_error);

    std::string secret = first_key;
    evm::wipe(secret);
    CHECK(secret.empty());
}

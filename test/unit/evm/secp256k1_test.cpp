#include "account.hpp"
#include "catch.hpp"

#include <portitor/core/u256.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/secp256k1.hpp>

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace portitor;

namespace {

using signature_bytes = std::vector<std::uint8_t>;

const u256 order("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");

const evm::word digest = evm::keccak256("something signed");

signature_bytes make(const u256& r, const u256& s, std::uint8_t v)
{
    signature_bytes out;
    for (const evm::word& half : {evm::to_word(r), evm::to_word(s)})
        out.insert(out.end(), half.begin(), half.end());
    out.push_back(v);
    return out;
}

u256 s_of(const signature_bytes& signature)
{
    return u256(evm::to_hex(std::span(signature).subspan(32, 32)));
}

u256 r_of(const signature_bytes& signature)
{
    return u256(evm::to_hex(std::span(signature).first(32)));
}

signature_bytes compact(const signature_bytes& signature)
{
    signature_bytes out(signature.begin(), signature.end() - 1);
    out[32] |= static_cast<std::uint8_t>((signature.back() - 27) << 7);
    return out;
}

}  // namespace

TEST_CASE("the addresses of known keys", "[evm][secp256k1]")
{
    const std::pair<const char*, const char*> accounts[] = {
        {"0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
         "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"},
        {"0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
         "0x70997970c51812dc3a010c7d01b50e0d17dc79c8"},
        {"0x0000000000000000000000000000000000000000000000000000000000000001",
         "0x7e5f4552091a69125d5dfcb7b8c2659029395bdf"},
        {"0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364140",
         "0x80c0dbf239224071c59dd8970ab9d542e3414ab2"},
        {"0x0000000000000000000000000000000000000000000000000000000000abcdef",
         "0x47c043311db033833acbe820187743432cffdb71"},
    };
    for (const auto& [key, address] : accounts)
    {
        const evm::account known{std::string_view(key)};
        CHECK(known.address().to_string() == address);
        CHECK(evm::recover(digest, known.sign(digest)).value().to_string() == address);
    }
}

TEST_CASE("whatever a key signs recovers to its address", "[evm][secp256k1]")
{
    evm::word key = evm::keccak256("keys");
    bool parity[2] = {false, false};
    for (int i = 0; i < 200; ++i)
    {
        key = evm::keccak256(key);
        const evm::account random(key);
        const evm::word message = evm::keccak256(evm::to_hex(key));
        const signature_bytes signature = random.sign(message);
        parity[signature.back() - 27] = true;
        REQUIRE(evm::recover(message, signature).value() == random.address());
        REQUIRE(evm::recover_compact(message, compact(signature)).value() == random.address());
        const auto other = evm::recover(evm::keccak256(message), signature);
        REQUIRE((other.has_error() || *other != random.address()));
    }
    CHECK(parity[0]);
    CHECK(parity[1]);
}

TEST_CASE("a signature of another form is refused", "[evm][secp256k1]")
{
    const evm::account signer(evm::keccak256("a key"));
    const signature_bytes good = signer.sign(digest);
    REQUIRE(evm::recover(digest, good).value() == signer.address());
    const u256 r = r_of(good);
    const u256 s = s_of(good);
    const std::uint8_t v = good.back();

    SECTION("its length")
    {
        for (std::size_t size = 0; size < 200; ++size)
        {
            if (size == 65)
                continue;
            signature_bytes other = good;
            other.resize(size);
            INFO(size);
            CHECK(evm::recover(digest, other).error().code() == errc::invalid);
            if (size != 64)
                CHECK(evm::recover_compact(digest, other).error().code() == errc::invalid);
        }
        CHECK(evm::recover_compact(digest, good).has_error());
    }
    SECTION("its v")
    {
        for (int other = 0; other < 256; ++other)
        {
            const auto made = evm::recover(digest, make(r, s, static_cast<std::uint8_t>(other)));
            INFO(other);
            if (other == v)
                CHECK(made.value() == signer.address());
            else if (other == 27 || other == 28)
                CHECK((made.has_error() || *made != signer.address()));
            else
                CHECK(made.error().code() == errc::invalid);
        }
    }
    SECTION("its twin with a high s, which recovers to the same key")
    {
        CHECK(evm::recover(digest, make(r, order - s, static_cast<std::uint8_t>(55 - v))).has_error());
        CHECK(evm::recover(digest, make(r, order - s, v)).has_error());
    }
    SECTION("r or s out of range")
    {
        const u256 most = std::numeric_limits<u256>::max();
        for (const std::uint8_t any_v : {std::uint8_t{27}, std::uint8_t{28}})
        {
            CHECK(evm::recover(digest, make(0, 0, any_v)).has_error());
            CHECK(evm::recover(digest, make(0, s, any_v)).has_error());
            CHECK(evm::recover(digest, make(r, 0, any_v)).has_error());
            for (const u256& outside : {order, u256(order + 1), most})
            {
                CHECK(evm::recover(digest, make(outside, s, any_v)).has_error());
                CHECK(evm::recover(digest, make(r, outside, any_v)).has_error());
            }
        }
    }
    SECTION("s at the edge of n/2")
    {
        // Every s recovers to some key, so the edge itself shows in who is answered at all.
        const u256 half = order / 2;
        CHECK(evm::recover(digest, make(r, half, v)).has_value());
        CHECK(evm::recover(digest, make(r, half + 1, v)).has_error());
        CHECK(evm::recover(digest, make(r, 1, v)).has_value());
    }
    SECTION("r that is no point of the curve")
    {
        // x^3 + 7 has no root for x = 5.
        CHECK(evm::recover(digest, make(5, s, v)).error().code() == errc::invalid);
        CHECK(evm::recover(digest, make(1, s, v)).has_value());
    }
}

TEST_CASE("threads may recover at once", "[evm][secp256k1]")
{
    const evm::account signer(evm::keccak256("a key"));
    const signature_bytes signature = signer.sign(digest);
    const evm::address expected = signer.address();
    std::vector<int> wrong(4);
    std::vector<std::thread> threads;
    for (int& mine : wrong)
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i)
                if (evm::recover(digest, signature).value() != expected)
                    ++mine;
        });
    for (std::thread& each : threads)
        each.join();
    CHECK(wrong == std::vector<int>(4));
}

#include "evm_vectors.hpp"

#include <portitor/evm/transaction.hpp>

using namespace portitor;
using evm::bytes;
using evm::transaction;

namespace {

u256 number_at(const boost::json::object& in, const char* name)
{
    return parse_u256(text_of(in.at(name))).value();
}

transaction read(const boost::json::object& fields)
{
    transaction out;
    out.chain_id = static_cast<std::uint64_t>(number_at(fields, "chainId"));
    out.nonce = static_cast<std::uint64_t>(number_at(fields, "nonce"));
    out.max_priority_fee = number_at(fields, "maxPriorityFeePerGas");
    out.max_fee = number_at(fields, "maxFeePerGas");
    out.gas_limit = static_cast<std::uint64_t>(number_at(fields, "gasLimit"));
    out.to = evm::address::parse(text_of(fields.at("to"))).value();
    out.value = number_at(fields, "value");
    out.data = bytes_of(fields.at("data"));
    const auto* list = fields.if_contains("accessList");
    for (const auto& each : list ? list->as_array() : boost::json::array())
    {
        std::vector<evm::word> slots;
        for (const auto& slot : each.at("storageKeys").as_array())
            REQUIRE(evm::parse_hex(text_of(slot), slots.emplace_back()).has_value());
        out.access_list.emplace_back(evm::address::parse(text_of(each.at("address"))).value(), slots);
    }
    return out;
}

transaction any()
{
    return read(vectors().at("txs").at(0).at("fields").as_object());
}

evm::private_key any_key()
{
    return evm::private_key::parse(text_of(vectors().at("txs").at(0).at("privateKey"))).value();
}

}  // namespace

TEST_CASE("transactions are written and signed as others do", "[evm][transaction]")
{
    for (const auto& each : vectors().at("txs").as_array())
    {
        INFO(each.at("name"));
        const transaction what = read(each.at("fields").as_object());
        const auto key = evm::private_key::parse(text_of(each.at("privateKey"))).value();
        CHECK(evm::to_hex(evm::signing_hash(what)) == text_of(each.at("signingHash")));
        const auto made = evm::with_signature(what, key.sign(evm::signing_hash(what)));
        CHECK(evm::to_hex(made.raw) == text_of(each.at("rawTransaction")));
        CHECK(evm::to_hex(made.hash) == text_of(each.at("txHash")));
        const auto checked = evm::check_signed(what, made.raw, key.address());
        REQUIRE(checked.has_value());
        CHECK(checked->raw == made.raw);
        CHECK(checked->hash == made.hash);
    }
}

TEST_CASE("what somebody else signed is taken only as it was asked for", "[evm][transaction]")
{
    const transaction what = any();
    const auto key = any_key();
    const bytes good = evm::with_signature(what, key.sign(evm::signing_hash(what))).raw;
    const auto check = [&](const bytes& raw) { return evm::check_signed(what, raw, key.address()); };
    REQUIRE(check(good).has_value());

    SECTION("no byte may be another one, be missing, or be more")
    {
        for (std::size_t i = 0; i < good.size(); ++i)
        {
            bytes changed = good;
            changed[i] ^= 1;
            CHECK_FALSE(check(changed).has_value());
            CHECK_FALSE(check(bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(i))).has_value()
            );
        }
        bytes longer = good;
        longer.push_back(0);
        CHECK_FALSE(check(longer).has_value());
    }
    SECTION("another transaction")
    {
        transaction other = what;
        other.value = 1;
        const auto made = evm::with_signature(other, key.sign(evm::signing_hash(other)));
        CHECK_THAT(check(made.raw).error().message(), Catch::Contains("another transaction"));
    }
    SECTION("another account")
    {
        const auto stranger =
            evm::private_key::parse("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")
                .value();
        const auto made = evm::with_signature(what, stranger.sign(evm::signing_hash(what)));
        CHECK_THAT(check(made.raw).error().message(), Catch::Contains(key.address().to_checksum()));
    }
}

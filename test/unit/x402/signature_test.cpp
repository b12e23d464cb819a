#include "account.hpp"
#include "catch.hpp"
#include "samples.hpp"
#include "signing.hpp"

#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/secp256k1.hpp>
#include <portitor/x402/error_codes.hpp>
#include <portitor/x402/signature.hpp>

#include <functional>
#include <limits>
#include <span>
#include <string>
#include <vector>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;
using verdict = signature_verdict;
using signature_bytes = std::vector<std::uint8_t>;

namespace {

// What one signature is about, however it came here.
struct signed_payment
{
    payment offered;
    payment_requirement wanted;
};

std::string text(const json::value& from, const char* name)
{
    return json::value_to<std::string>(from.at(name));
}

evm::address address(const json::value& from, const char* name)
{
    return evm::address::parse(text(from, name)).value();
}

u256 number(const json::value& from, const char* name)
{
    return parse_u256(text(from, name)).value();
}

signature_bytes bytes(const json::value& from, const char* name)
{
    return evm::parse_hex(text(from, name)).value();
}

evm::word word(const json::value& from, const char* name)
{
    evm::word out{};
    evm::parse_hex(text(from, name), out).value();
    return out;
}

const json::value& vectors()
{
    static const json::value loaded = load("signatures.json");
    return loaded;
}

evm::word type_hash(const char* name)
{
    return word(vectors().at("typehashes"), name);
}

std::string network_of(const json::value& domain)
{
    return "eip155:" + std::to_string(domain.at("chainId").to_number<std::uint64_t>());
}

signed_payment eip3009_of(const json::value& vector)
{
    const json::value& message = vector.at("message");
    const json::value& domain = vector.at("domain");
    signed_payment out;
    out.offered.version = 2;
    out.offered.scheme = "exact";
    out.offered.network = network_of(domain);
    out.offered.kind = payment_kind::eip3009;
    out.offered.payer = address(message, "from");
    out.offered.pay_to = address(message, "to");
    out.offered.value = number(message, "value");
    out.offered.valid_after = number(message, "validAfter");
    out.offered.valid_before = number(message, "validBefore");
    out.offered.nonce = text(message, "nonce");
    out.offered.signature = bytes(vector, "signature");
    out.wanted.network = out.offered.network;
    out.wanted.asset = text(domain, "verifyingContract");
    out.wanted.asset_name = text(domain, "name");
    out.wanted.asset_version = text(domain, "version");
    return out;
}

signed_payment permit2_of(const json::value& vector)
{
    const json::value& message = vector.at("message");
    const json::value& witness = message.at("witness");
    signed_payment out;
    out.offered.version = 2;
    out.offered.scheme = witness.as_object().contains("facilitator") ? "upto" : "exact";
    out.offered.network = network_of(vector.at("domain"));
    out.offered.kind = payment_kind::permit2;
    out.offered.payer = address(vector, "address");
    out.offered.pay_to = address(witness, "to");
    out.offered.value = number(message.at("permitted"), "amount");
    out.offered.asset = address(message.at("permitted"), "token");
    out.offered.spender = address(message, "spender");
    out.offered.valid_after = number(witness, "validAfter");
    out.offered.valid_before = number(message, "deadline");
    out.offered.nonce = text(message, "nonce");
    out.offered.signature = bytes(vector, "signature");
    out.wanted.network = out.offered.network;
    out.wanted.method = transfer_method::permit2;
    return out;
}

verdict check(const signed_payment& each)
{
    return check_signature(each.offered, each.wanted);
}

// What the gate does without a chain to ask.
bool refused_here(const signed_payment& each)
{
    return check(each) == verdict::not_an_account && !may_be_contract_signature(each.offered, each.wanted);
}

signed_payment first_eip3009()
{
    return eip3009_of(vectors().at("eip3009").at(0));
}

signed_payment first_permit2()
{
    return permit2_of(vectors().at("permit2").at(0));
}

signature_bytes compact(const signature_bytes& signature)
{
    signature_bytes out(signature.begin(), signature.end() - 1);
    out[32] |= static_cast<std::uint8_t>((signature.back() - 27) << 7);
    return out;
}

void flip(evm::address& value, unsigned bit)
{
    evm::address::bytes_type changed = value.bytes();
    changed[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    value = evm::address(changed);
}

void flip(u256& value, unsigned bit)
{
    boost::multiprecision::bit_flip(value, bit);
}

// Calls `judge` once for each bit of each field that is signed, with that bit changed.
void each_flipped_field(
    const signed_payment& good, const std::function<void(const char*, unsigned, const signed_payment&)>& judge
)
{
    const auto in_payment = [&](const char* name, unsigned bits, const auto& field) {
        for (unsigned bit = 0; bit < bits; ++bit)
        {
            signed_payment changed = good;
            flip(field(changed.offered), bit);
            judge(name, bit, changed);
        }
    };
    using address_ref = evm::address&;
    using number_ref = u256&;
    in_payment("payer", 160, [](payment& from) -> address_ref { return from.payer; });
    in_payment("payTo", 160, [](payment& from) -> address_ref { return from.pay_to; });
    in_payment("value", 256, [](payment& from) -> number_ref { return from.value; });
    in_payment("validAfter", 256, [](payment& from) -> number_ref { return from.valid_after; });
    in_payment("validBefore", 256, [](payment& from) -> number_ref { return from.valid_before; });
    const bool permit2 = good.offered.kind == payment_kind::permit2;
    if (permit2)
    {
        in_payment("spender", 160, [](payment& from) -> address_ref { return from.spender; });
        in_payment("token", 160, [](payment& from) -> address_ref { return *from.asset; });
    }
    for (unsigned bit = 0; bit < 256; ++bit)
    {
        signed_payment changed = good;
        u256 nonce = permit2 ? parse_u256(good.offered.nonce).value() : u256(good.offered.nonce);
        flip(nonce, bit);
        changed.offered.nonce = permit2 ? to_string(nonce) : evm::to_hex(evm::to_word(nonce));
        judge("nonce", bit, changed);

        changed = good;
        u256 chain = parse_u256(good.wanted.network.substr(7)).value();
        flip(chain, bit);
        changed.wanted.network = "eip155:" + to_string(chain);
        judge("chain", bit, changed);
    }
    if (permit2)
        return;
    for (unsigned bit = 0; bit < 160; ++bit)
    {
        signed_payment changed = good;
        evm::address asset = evm::address::parse(good.wanted.asset).value();
        flip(asset, bit);
        changed.wanted.asset = asset.to_string();
        judge("asset", bit, changed);
    }
    for (std::string payment_requirement::*field :
         {&payment_requirement::asset_name, &payment_requirement::asset_version})
        for (unsigned bit = 0; bit < (good.wanted.*field).size() * 8; ++bit)
        {
            signed_payment changed = good;
            (changed.wanted.*field)[bit / 8] ^= static_cast<char>(1U << bit % 8);
            judge("domain", bit, changed);
        }
}

}  // namespace

TEST_CASE("the type hashes of the standards", "[x402][signature]")
{
    CHECK(
        type_hash("TransferWithAuthorization") ==
        evm::keccak256("TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
                       "uint256 validBefore,bytes32 nonce)")
    );
    CHECK(
        type_hash("EIP712Domain_nameVersionChainContract") ==
        evm::keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
    );
    CHECK(
        type_hash("EIP712Domain_permit2_noVersion") ==
        evm::keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)")
    );
}

TEST_CASE("EIP-3009 authorizations of the reference library are valid", "[x402][signature]")
{
    const json::array& all = vectors().at("eip3009").as_array();
    REQUIRE(all.size() == 5);
    for (const json::value& vector : all)
    {
        INFO(text(vector, "id"));
        const signed_payment each = eip3009_of(vector);
        const payment& offered = each.offered;
        const json::value& domain = vector.at("domain");
        const evm::word separator = evm::domain_separator(
            {each.wanted.asset_name,
             each.wanted.asset_version,
             domain.at("chainId").to_number<std::uint64_t>(),
             address(domain, "verifyingContract")}
        );
        CHECK(separator == word(vector, "domainSeparator"));
        const evm::word hash = evm::hash_struct(
            type_hash("TransferWithAuthorization"),
            {evm::to_word(offered.payer),
             evm::to_word(offered.pay_to),
             evm::to_word(offered.value),
             evm::to_word(offered.valid_after),
             evm::to_word(offered.valid_before),
             word(vector.at("message"), "nonce")}
        );
        CHECK(hash == word(vector, "structHash"));
        const auto digest = signed_digest(offered, each.wanted);
        REQUIRE(digest.has_value());
        CHECK(*digest == word(vector, "digest"));
        CHECK(evm::recover(*digest, offered.signature).value() == address(vector, "recovered"));
        CHECK(check(each) == verdict::valid);
    }
}

TEST_CASE("Permit2 permits of the reference library are valid", "[x402][signature]")
{
    const json::array& all = vectors().at("permit2").as_array();
    REQUIRE(all.size() == 3);
    int exact = 0;
    for (const json::value& vector : all)
    {
        INFO(text(vector, "id"));
        const signed_payment each = permit2_of(vector);
        const payment& offered = each.offered;
        const json::value& domain = vector.at("domain");
        const evm::word separator = evm::domain_separator(
            {text(domain, "name"),
             std::nullopt,
             domain.at("chainId").to_number<std::uint64_t>(),
             address(domain, "verifyingContract")}
        );
        CHECK(separator == word(vector, "domainSeparator"));
        const evm::word permitted = evm::hash_struct(
            type_hash("TokenPermissions"), {evm::to_word(*offered.asset), evm::to_word(offered.value)}
        );
        CHECK(permitted == word(vector, "tokenPermissionsHash"));

        const bool upto = offered.scheme == "upto";
        const evm::word to = evm::to_word(offered.pay_to);
        const evm::word after = evm::to_word(offered.valid_after);
        const evm::word witness =
            upto ? evm::hash_struct(
                       type_hash("Witness_upto"),
                       {to, evm::to_word(address(vector.at("message").at("witness"), "facilitator")), after}
                   )
                 : evm::hash_struct(type_hash("Witness_exact"), {to, after});
        CHECK(witness == word(vector, "witnessHash"));
        const evm::word hash = evm::hash_struct(
            type_hash(upto ? "PermitWitnessTransferFrom_upto" : "PermitWitnessTransferFrom_exact"),
            {permitted,
             evm::to_word(offered.spender),
             evm::to_word(parse_u256(offered.nonce).value()),
             evm::to_word(offered.valid_before),
             witness}
        );
        CHECK(hash == word(vector, "structHash"));
        const evm::word digest = evm::typed_data_digest(separator, hash);
        CHECK(digest == word(vector, "digest"));
        CHECK(evm::recover(digest, offered.signature).value() == offered.payer);

        if (upto)
        {
            CHECK_FALSE(signed_digest(offered, each.wanted).has_value());
            CHECK(check(each) == verdict::cannot_tell);
            continue;
        }
        ++exact;
        CHECK(signed_digest(offered, each.wanted) == digest);
        CHECK(check(each) == verdict::valid);
    }
    CHECK(exact == 2);
}

TEST_CASE("of the signatures that are to be rejected only ERC-6492 may be asked about", "[x402][signature]")
{
    const json::array& all = vectors().at("negative").as_array();
    REQUIRE(all.size() == 11);
    for (const json::value& vector : all)
    {
        const std::string id = text(vector, "id");
        INFO(id);
        signed_payment each = first_eip3009();
        each.offered.signature = bytes(vector, "signature");
        CHECK(check(each) == verdict::not_an_account);
        CHECK(may_be_contract_signature(each.offered, each.wanted) == (id == "erc6492-wrapped"));

        // Two of them are good signatures of another domain.
        if (id == "wrong-chainId-8453")
        {
            each.wanted.network = "eip155:8453";
            CHECK(signed_digest(each.offered, each.wanted) == word(vector, "digest"));
            CHECK(check(each) == verdict::valid);
        }
        if (id == "wrong-domain-name-USD Coin")
        {
            each.wanted.asset_name = "USD Coin";
            CHECK(check(each) == verdict::valid);
        }
    }
}

TEST_CASE("headers of real clients are valid for what they pay, and for nothing else", "[x402][signature]")
{
    const json::value data = load("headers.json");
    const json::array& headers = data.at("headers").as_array();
    const json::array& digests = vectors().at("headers").as_array();
    REQUIRE(headers.size() == 10);
    REQUIRE(digests.size() == 10);
    int eip3009 = 0;
    int permit2 = 0;
    for (std::size_t i = 0; i < headers.size(); ++i)
    {
        const json::value& header = headers[i];
        const std::string id = text(header, "id");
        INFO(id);
        REQUIRE(text(digests[i], "id") == id);
        const bool v2 = header.at("header").as_string() == "PAYMENT-SIGNATURE";
        signed_payment each;
        each.offered = decode_payment(
                           v2 ? payment_header::payment_signature : payment_header::x_payment,
                           text(header, "value"),
                           networks()
        )
                           .value();
        each.wanted = usdc_requirement();
        if (each.offered.scheme != "exact")
        {
            CHECK(check(each) == verdict::cannot_tell);
            continue;
        }
        CHECK(check(each) == verdict::valid);

        signed_payment other = each;
        other.wanted.network = "eip155:8453";
        CHECK(refused_here(other));
        if (each.offered.kind == payment_kind::permit2)
        {
            ++permit2;
            continue;
        }
        ++eip3009;
        CHECK(signed_digest(each.offered, each.wanted) == word(digests[i], "digest"));
        CHECK(each.offered.payer == address(digests[i], "recovered"));
        other = each;
        other.wanted.asset_name = "USD Coin";
        CHECK(refused_here(other));
        other = each;
        other.wanted.asset_version = "1";
        CHECK(refused_here(other));
        other = each;
        other.wanted.asset = seller;
        CHECK(refused_here(other));
        // The case of an address is no part of it.
        other = each;
        other.wanted.asset = evm::address::parse(each.wanted.asset).value().to_string();
        CHECK(check(other) == verdict::valid);
    }
    CHECK(eip3009 == 8);
    CHECK(permit2 == 1);
}

TEST_CASE("no changed bit of a signature leaves it valid", "[x402][signature]")
{
    for (signed_payment each : {first_eip3009(), first_permit2()})
    {
        const bool permit2 = each.offered.kind == payment_kind::permit2;
        std::vector<signature_bytes> forms{each.offered.signature};
        if (permit2)
            forms.push_back(compact(each.offered.signature));
        for (const signature_bytes& good : forms)
        {
            each.offered.signature = good;
            REQUIRE(check(each) == verdict::valid);
            for (std::size_t bit = 0; bit < good.size() * 8; ++bit)
            {
                each.offered.signature = good;
                each.offered.signature[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
                INFO("permit2 " << permit2 << ", bit " << bit);
                REQUIRE(refused_here(each));
            }
        }
    }
}

TEST_CASE("no changed bit of what is signed leaves it valid", "[x402][signature]")
{
    for (const signed_payment& good : {first_eip3009(), first_permit2()})
    {
        REQUIRE(check(good) == verdict::valid);
        int judged = 0;
        each_flipped_field(good, [&](const char* field, unsigned bit, const signed_payment& changed) {
            INFO(field << ", bit " << bit);
            REQUIRE(refused_here(changed));
            ++judged;
        });
        CHECK(judged > 1500);
    }
}

TEST_CASE("Permit2 alone takes the compact form", "[x402][signature]")
{
    signed_payment permit2 = first_permit2();
    permit2.offered.signature = compact(permit2.offered.signature);
    CHECK(check(permit2) == verdict::valid);

    signed_payment eip3009 = first_eip3009();
    eip3009.offered.signature = compact(eip3009.offered.signature);
    CHECK(refused_here(eip3009));
}

TEST_CASE("what had to be signed is not always known", "[x402][signature]")
{
    const signed_payment good = first_eip3009();
    signed_payment each = good;
    SECTION("another kind of payment")
    {
        each.offered.kind = payment_kind::other;
    }
    SECTION("another scheme")
    {
        each.offered.scheme = "upto";
    }
    SECTION("a chain that is not of the EVM")
    {
        each.wanted.network = "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp";
    }
    SECTION("a chain without a number")
    {
        each.wanted.network = "eip155:";
    }
    SECTION("a chain with another number")
    {
        each.wanted.network = "eip155:0x14a34";
    }
    SECTION("no chain")
    {
        each.wanted.network = "";
    }
    SECTION("an asset that is no address")
    {
        each.wanted.asset = "USDC";
    }
    CHECK_FALSE(signed_digest(each.offered, each.wanted).has_value());
    CHECK(check(each) == verdict::cannot_tell);
}

TEST_CASE("what a wallet contract may have made is not refused here", "[x402][signature]")
{
    const evm::account owner("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a");
    for (signed_payment each : {first_eip3009(), first_permit2()})
    {
        const signature_bytes own = each.offered.signature;
        const signature_bytes by_owner = owner.sign(evm::keccak256("what the wallet makes of the digest"));
        const auto judge = [&](const signature_bytes& signature) {
            each.offered.signature = signature;
            REQUIRE(check(each) == verdict::not_an_account);
            return may_be_contract_signature(each.offered, each.wanted);
        };
        const auto behind = [](signature_bytes first, const signature_bytes& then) {
            first.insert(first.end(), then.begin(), then.end());
            return first;
        };
        // A type byte before (Light Account, Kernel), a validator's address before (Kernel, Nexus), two
        // owners (Safe), an ABI-encoded struct (Coinbase).
        CHECK(judge(behind({0}, by_owner)));
        CHECK(judge(behind({0}, own)));
        CHECK(judge(behind(signature_bytes(20, 0x11), by_owner)));
        CHECK(judge(behind(by_owner, by_owner)));
        CHECK(judge(behind(signature_bytes(96, 0), behind(by_owner, signature_bytes(31, 0)))));
        CHECK(judge(signature_bytes(4000, 0)));

        CHECK_FALSE(judge(by_owner));
        CHECK_FALSE(judge({}));
        for (std::size_t size = 1; size <= 65; ++size)
            CHECK_FALSE(judge(signature_bytes(size, 0x42)));
        // The payer's own, with something behind it.
        for (const std::size_t size : {1U, 31U, 32U, 65U, 1000U})
            CHECK_FALSE(judge(behind(own, signature_bytes(size, 0))));
    }
}

TEST_CASE("whatever the payer signs is valid, and is nobody else's", "[x402][signature]")
{
    for (const payment_requirement& wanted : {usdc_requirement(), permit2_requirement()})
    {
        json::object message = v2_payment(wanted);
        sign(message, wanted);
        CHECK(check_signature(decode_v2(message).value(), wanted) == verdict::valid);
        sign(message, wanted, evm::account(evm::keccak256("somebody else")));
        const payment by_other = decode_v2(message).value();
        CHECK(check_signature(by_other, wanted) == verdict::not_an_account);
        CHECK_FALSE(may_be_contract_signature(by_other, wanted));
    }
    json::object message = v1_payment();
    sign(message, usdc_requirement());
    CHECK(check_signature(decode_v1(message).value(), usdc_requirement()) == verdict::valid);
}

TEST_CASE("a refused signature has a published code", "[x402][signature]")
{
    for (const int version : {1, 2})
    {
        payment offered = first_eip3009().offered;
        offered.version = version;
        const refusal refused = signature_refusal(offered);
        CHECK(refused.code == "invalid_exact_evm_payload_signature");
        const error_code* known = find_error_code(refused.code);
        REQUIRE(known != nullptr);
        CHECK((known->sources & (version == 1 ? spec_v1 : spec_v2)) != 0);
        CHECK_FALSE(refused.message.empty());
    }
    const refusal refused = signature_refusal(first_permit2().offered);
    CHECK(refused.code == "invalid_permit2_signature");
    CHECK(find_error_code(refused.code) != nullptr);
    CHECK_FALSE(refused.message.empty());
}

TEST_CASE("verdicts have names", "[x402][signature]")
{
    CHECK(std::string(to_string(verdict::valid)) == "valid");
    CHECK(std::string(to_string(verdict::not_an_account)) == "not_an_account");
    CHECK(std::string(to_string(verdict::cannot_tell)) == "cannot_tell");
}

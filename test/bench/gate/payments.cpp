// Writes paid requests, no two alike: EIP-3009 payments of x402 v2 whose signatures are good for the routes'
// tokens, from 64 buyers. Their time ends an hour after they are written.
//
//   gate_payments ROUTES COUNT SEED FILE        (ROUTES as gate_data.py writes them)

#include "routes.hpp"

#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/secp256k1.hpp>
#include <portitor/x402/base64.hpp>

#include <fmt/format.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <cstdio>
#include <ctime>
#include <random>

namespace {

using namespace portitor;
using evm::word;

class buyer
{
public:
    buyer(const secp256k1_context* context, const word& key) : context_(context), key_(key)
    {
        secp256k1_pubkey point;
        if (secp256k1_ec_pubkey_create(context, &point, key_.data()) != 1)
            throw std::runtime_error("a key is none");
        std::array<std::uint8_t, 65> bytes{};
        std::size_t size = bytes.size();
        secp256k1_ec_pubkey_serialize(context, bytes.data(), &size, &point, SECP256K1_EC_UNCOMPRESSED);
        address_ = evm::address_of_public_key(std::span(bytes).last<64>());
    }

    const evm::address& address() const { return address_; }

    std::string sign(const word& digest) const
    {
        secp256k1_ecdsa_recoverable_signature made;
        if (secp256k1_ecdsa_sign_recoverable(context_, &made, digest.data(), key_.data(), nullptr, nullptr) !=
            1)
            throw std::runtime_error("signing failed");
        std::array<std::uint8_t, 65> bytes{};
        int parity = 0;
        secp256k1_ecdsa_recoverable_signature_serialize_compact(context_, bytes.data(), &parity, &made);
        bytes.back() = static_cast<std::uint8_t>(27 + parity);
        return evm::to_hex(bytes);
    }

private:
    const secp256k1_context* context_;
    word key_;
    evm::address address_;
};

// A route, with what the payments for it have in common.
struct sold
{
    const bench::route& what;
    word separator;
    evm::address pay_to;
    u256 price;

    explicit sold(const bench::route& route) : what(route)
    {
        const auto chain =
            parse_u256(std::string_view(route.network).substr(std::string_view("eip155:").size()));
        separator = evm::domain_separator(
            {route.asset_name, route.asset_version, chain.value(), evm::address::parse(route.asset).value()}
        );
        pay_to = evm::address::parse(route.pay_to).value();
        price = parse_u256(route.price).value();
    }
};

word random_word(std::mt19937_64& random)
{
    word out;
    for (std::uint8_t& each : out)
        each = static_cast<std::uint8_t>(random());
    return out;
}

word digest_of(const sold& route, const buyer& by, std::uint64_t valid_before, const word& nonce)
{
    static const word type = evm::keccak256(
        std::string_view("TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,"
                         "uint256 validBefore,bytes32 nonce)")
    );
    return evm::typed_data_digest(
        route.separator,
        evm::hash_struct(
            type,
            {evm::to_word(by.address()),
             evm::to_word(route.pay_to),
             evm::to_word(route.price),
             evm::to_word(u256(0)),
             evm::to_word(u256(valid_before)),
             nonce}
        )
    );
}

std::string request_for(const sold& route, const buyer& by, std::uint64_t valid_before, const word& nonce)
{
    const bench::route& what = route.what;
    const std::string url = fmt::format("https://api.example.com{}/v1/answer", what.prefix);
    const std::string payment = fmt::format(
        R"({{"x402Version":2,"resource":{{"url":"{}","description":"{}","mimeType":"application/json"}},)"
        R"("accepted":{{"scheme":"exact","network":"{}","amount":"{}","asset":"{}","payTo":"{}",)"
        R"("maxTimeoutSeconds":{},"extra":{{"name":"{}","version":"{}","paymentFlow":"upfront"}}}},)"
        R"("payload":{{"signature":"{}","authorization":{{"from":"{}","to":"{}","value":"{}",)"
        R"("validAfter":"0","validBefore":"{}","nonce":"{}"}}}}}})",
        url,
        what.description,
        what.network,
        what.price,
        what.asset,
        what.pay_to,
        what.max_timeout_seconds,
        what.asset_name,
        what.asset_version,
        by.sign(digest_of(route, by, valid_before, nonce)),
        by.address().to_string(),
        what.pay_to,
        what.price,
        valid_before,
        evm::to_hex(nonce)
    );
    return fmt::format(
        "GET /verify/{} HTTP/1.1\r\nHost: portitor-verifier\r\nUser-Agent: Go-http-client/1.1\r\n"
        "X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Host: api.example.com\r\nX-Forwarded-Method: GET\r\n"
        "X-Forwarded-Port: 443\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Uri: {}/v1/answer\r\n"
        "Accept-Encoding: gzip\r\nPAYMENT-SIGNATURE: {}\r\n\r\n",
        what.key,
        what.prefix,
        x402::encode_base64(payment)
    );
}

}  // namespace

int main(int count, char** arguments)
try
{
    if (count != 5)
        throw std::runtime_error("usage: gate_payments ROUTES COUNT SEED FILE");
    const auto routes = bench::read_routes(arguments[1]);
    const std::size_t wanted = std::stoul(arguments[2]);
    std::mt19937_64 random(std::stoul(arguments[3]));
    const std::vector<sold> offers(routes.begin(), routes.end());
    const secp256k1_context* context = secp256k1_context_create(SECP256K1_CONTEXT_SIGN);
    std::vector<buyer> buyers;
    for (int i = 0; i < 64; ++i)
        buyers.emplace_back(context, random_word(random));
    const auto valid_before = static_cast<std::uint64_t>(std::time(nullptr)) + 3600;
    std::ofstream file(arguments[4], std::ios::binary);
    for (std::size_t i = 0; i < wanted; ++i)
    {
        const sold& offer = offers[random() % offers.size()];
        const buyer& by = buyers[random() % buyers.size()];
        file << request_for(offer, by, valid_before, random_word(random));
    }
    if (!file.flush())
        throw std::runtime_error("writing failed");
}
catch (const std::exception& failure)
{
    std::fprintf(stderr, "gate_payments: %s\n", failure.what());
    return 1;
}

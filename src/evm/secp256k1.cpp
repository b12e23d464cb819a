#include <portitor/evm/secp256k1.hpp>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <algorithm>
#include <array>

namespace portitor::evm {

namespace {

// Constant and without secrets: recovery needs nothing more, and every thread may use it. The library asks
// for one self-test before.
const secp256k1_context* context()
{
    static const secp256k1_context* const tested = [] {
        secp256k1_selftest();
        return secp256k1_context_static;
    }();
    return tested;
}

result<address> recover_from(const word& digest, std::span<const std::uint8_t, 64> r_and_s, int recovery_id)
{
    secp256k1_ecdsa_recoverable_signature signature{};
    if (secp256k1_ecdsa_recoverable_signature_parse_compact(
            context(), &signature, r_and_s.data(), recovery_id
        ) != 1)
        return fail(errc::invalid, "not a signature: r or s is not below the order of the curve");

    secp256k1_ecdsa_signature plain{};
    secp256k1_ecdsa_recoverable_signature_convert(context(), &plain, &signature);
    if (secp256k1_ecdsa_signature_normalize(context(), nullptr, &plain) != 0)
        return fail(errc::invalid, "not a signature: s is above half the order of the curve");

    secp256k1_pubkey key{};
    if (secp256k1_ecdsa_recover(context(), &key, &signature, digest.data()) != 1)
        return fail(errc::invalid, "not a signature: r or s is zero, or r is no point of the curve");

    std::array<std::uint8_t, 65> bytes{};
    std::size_t size = bytes.size();
    secp256k1_ec_pubkey_serialize(context(), bytes.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
    return address_of_public_key(std::span(bytes).subspan<1, 64>());
}

}  // namespace

result<address> recover(const word& digest, std::span<const std::uint8_t> signature)
{
    if (signature.size() != 65)
        return fail(errc::invalid, "not a signature: {} bytes instead of 65", signature.size());
    const std::uint8_t v = signature[64];
    if (v != 27 && v != 28)
        return fail(errc::invalid, "not a signature: v is {} instead of 27 or 28", v);
    return recover_from(digest, signature.first<64>(), v - 27);
}

result<address> recover_compact(const word& digest, std::span<const std::uint8_t> signature)
{
    if (signature.size() != 64)
        return fail(errc::invalid, "not a compact signature: {} bytes instead of 64", signature.size());
    std::array<std::uint8_t, 64> r_and_s{};
    std::copy(signature.begin(), signature.end(), r_and_s.begin());
    // A canonical s never needs the highest bit, so EIP-2098 keeps the parity there.
    const int parity = r_and_s[32] >> 7;
    r_and_s[32] &= 0x7f;
    return recover_from(digest, r_and_s, parity);
}

address address_of_public_key(std::span<const std::uint8_t, 64> key)
{
    const word hash = keccak256(key);
    address::bytes_type bytes{};
    std::copy(hash.end() - bytes.size(), hash.end(), bytes.begin());
    return address(bytes);
}

}  // namespace portitor::evm

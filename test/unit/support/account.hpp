#pragma once

#include <portitor/evm/hex.hpp>
#include <portitor/evm/secp256k1.hpp>

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <array>
#include <span>
#include <stdexcept>
#include <string_view>
#include <vector>

namespace portitor::evm {

/// An ordinary account with a key that anyone may know, for tests to sign with.
class account
{
public:
    explicit account(const word& key) : key_(key) {}
    explicit account(std::string_view hex_key) { parse_hex(hex_key, key_).value(); }

    evm::address address() const
    {
        secp256k1_pubkey key{};
        if (secp256k1_ec_pubkey_create(context(), &key, key_.data()) != 1)
            throw std::runtime_error("not a key");
        std::array<std::uint8_t, 65> bytes{};
        std::size_t size = bytes.size();
        secp256k1_ec_pubkey_serialize(context(), bytes.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
        return address_of_public_key(std::span(bytes).subspan<1, 64>());
    }

    /// r, s, v.
    std::vector<std::uint8_t> sign(const word& digest) const
    {
        secp256k1_ecdsa_recoverable_signature made{};
        if (secp256k1_ecdsa_sign_recoverable(
                context(), &made, digest.data(), key_.data(), nullptr, nullptr
            ) != 1)
            throw std::runtime_error("cannot sign");
        std::vector<std::uint8_t> out(65);
        int id = 0;
        secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), out.data(), &id, &made);
        out[64] = static_cast<std::uint8_t>(27 + id);
        return out;
    }

private:
    // Never written to after it was made, and gone with the process.
    static const secp256k1_context* context()
    {
        static const secp256k1_context* const made = secp256k1_context_create(SECP256K1_CONTEXT_NONE);
        return made;
    }

    word key_{};
};

}  // namespace portitor::evm

#include <portitor/evm/hex.hpp>
#include <portitor/evm/private_key.hpp>
#include <portitor/evm/secp256k1.hpp>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include <memory>
#include <span>
#include <stdexcept>

namespace portitor::evm {

namespace {

constexpr std::size_t digits = 64;

struct context_deleter
{
    void operator()(secp256k1_context* made) const { secp256k1_context_destroy(made); }
};

// Blinded, so that what a signature takes says nothing of the key. Made for each use: it is rare.
std::unique_ptr<secp256k1_context, context_deleter> make_context()
{
    std::unique_ptr<secp256k1_context, context_deleter> made(secp256k1_context_create(SECP256K1_CONTEXT_NONE)
    );
    word seed{};
    const bool blinded = RAND_bytes(seed.data(), static_cast<int>(seed.size())) == 1 &&
                         secp256k1_context_randomize(made.get(), seed.data()) == 1;
    OPENSSL_cleanse(seed.data(), seed.size());
    if (!blinded)
        throw std::runtime_error("the system gives no random numbers");
    return made;
}

}  // namespace

result<private_key> private_key::parse(std::string_view text)
{
    if (text.starts_with("0x"))
        text.remove_prefix(2);
    word number{};
    // Of a fixed size, so that no text with the key is left behind.
    std::array<char, digits + 2> prefixed{'0', 'x'};
    bool good = text.size() == digits;
    if (good)
    {
        text.copy(prefixed.data() + 2, digits);
        good = parse_hex(std::string_view(prefixed.data(), prefixed.size()), number).has_value();
        OPENSSL_cleanse(prefixed.data(), prefixed.size());
    }
    if (!good)
        return fail(errc::invalid, "not a private key: expected 64 hexadecimal digits, with or without 0x");
    auto made = from_bytes(number);
    OPENSSL_cleanse(number.data(), number.size());
    return made;
}

result<private_key> private_key::from_bytes(const word& number)
{
    private_key made;
    made.bytes_ = number;
    secp256k1_pubkey key{};
    const auto context = make_context();
    if (secp256k1_ec_pubkey_create(context.get(), &key, made.bytes_.data()) != 1)
        return fail(errc::invalid, "not a private key: it is zero, or not below the order of secp256k1");
    std::array<std::uint8_t, 65> bytes{};
    std::size_t size = bytes.size();
    secp256k1_ec_pubkey_serialize(context.get(), bytes.data(), &size, &key, SECP256K1_EC_UNCOMPRESSED);
    made.address_ = address_of_public_key(std::span(bytes).subspan<1, 64>());
    return made;
}

private_key::private_key(private_key&& other) noexcept : bytes_(other.bytes_), address_(other.address_)
{
    OPENSSL_cleanse(other.bytes_.data(), other.bytes_.size());
}

private_key& private_key::operator=(private_key&& other) noexcept
{
    if (this == &other)
        return *this;
    bytes_ = other.bytes_;
    address_ = other.address_;
    OPENSSL_cleanse(other.bytes_.data(), other.bytes_.size());
    return *this;
}

private_key::~private_key()
{
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

signature_bytes private_key::sign(const word& digest) const
{
    const auto context = make_context();
    secp256k1_ecdsa_recoverable_signature made{};
    if (secp256k1_ecdsa_sign_recoverable(
            context.get(), &made, digest.data(), bytes_.data(), nullptr, nullptr
        ) != 1)
        throw std::logic_error("signing with a key that was moved away");
    signature_bytes out{};
    int id = 0;
    // Never with an s above n/2.
    secp256k1_ecdsa_recoverable_signature_serialize_compact(context.get(), out.data(), &id, &made);
    out[64] = static_cast<std::uint8_t>(27 + id);
    return out;
}

void wipe(std::string& secret) noexcept
{
    OPENSSL_cleanse(secret.data(), secret.size());
    secret.clear();
}

}  // namespace portitor::evm

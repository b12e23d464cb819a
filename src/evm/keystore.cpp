#include <portitor/evm/hex.hpp>
#include <portitor/evm/keystore.hpp>
#include <portitor/evm/rlp.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <bit>
#include <memory>

namespace portitor::evm {

namespace json = boost::json;

namespace {

constexpr std::size_t derived_size = 32;  // half of it is the cipher's key, half the MAC's
constexpr std::size_t cipher_key_size = 16;
constexpr std::size_t longest_file = 64 * 1024;

using derived_key = std::array<std::uint8_t, derived_size>;

/// Secret bytes that are wiped when they go.
template <typename Bytes>
struct wiped
{
    Bytes bytes{};
    wiped() = default;
    wiped(const wiped&) = delete;
    wiped& operator=(const wiped&) = delete;
    ~wiped() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

error wrong(std::string_view field, std::string_view expected)
{
    return fail(errc::invalid, "the keystore's {}: {}", field, expected);
}

const json::value* find(const json::object& in, std::string_view name)
{
    return in.if_contains(name);
}

std::string_view text_at(const json::object& in, std::string_view name)
{
    const json::value* found = find(in, name);
    const json::string* text = found ? found->if_string() : nullptr;
    return text ? std::string_view(*text) : std::string_view();
}

/// A member that counts: 1 up to `most`.
result<std::uint64_t> count_at(const json::object& in, const char* name, std::uint64_t most)
{
    const json::value* found = find(in, name);
    boost::system::error_code failed;
    const auto read = found ? found->to_number<std::uint64_t>(failed) : 0;
    if (failed || read == 0 || read > most)
        return wrong(name, fmt::format("expected a whole number from 1 to {}", most));
    return read;
}

result<bytes> bytes_at(const json::object& in, const char* name)
{
    auto read = parse_hex("0x" + std::string(text_at(in, name)));
    if (!read)
        return wrong(name, "expected hexadecimal digits");
    return std::move(*read);
}

/// "crypto", or "Crypto" as ethers writes it; and what lies in it.
result<const json::object*> object_at(const json::object& in, const char* name, const char* other)
{
    for (const char* each : {name, other})
    {
        const json::value* found = find(in, each);
        if (found && found->is_object())
            return &found->get_object();
    }
    return wrong(name, "expected an object");
}

result<void> derive_by_scrypt(const json::object& with, std::string_view password, derived_key& out)
{
    constexpr std::uint64_t most_memory = std::uint64_t(262144) * 8;  // in blocks of 128 bytes
    const auto n = count_at(with, "n", most_memory);
    if (!n)
        return n.error();
    const auto r = count_at(with, "r", 64);
    if (!r)
        return r.error();
    const auto p = count_at(with, "p", 16);
    if (!p)
        return p.error();
    const auto salt = bytes_at(with, "salt");
    if (!salt)
        return salt.error();
    if (!std::has_single_bit(*n) || *n == 1)
        return wrong("n", "expected a power of two");
    if (*n * *r > most_memory)
        return wrong("n", "with this r it takes more than 256 MiB, which is refused");
    // The default of 32 MiB would refuse what geth writes.
    const std::uint64_t memory = 128 * *r * (*n + *p + 2) + (1U << 20U);
    const int done = EVP_PBE_scrypt(
        password.data(),
        password.size(),
        salt->data(),
        salt->size(),
        *n,
        *r,
        *p,
        memory,
        out.data(),
        out.size()
    );
    return done == 1 ? result<void>() : wrong("kdfparams", "there is not enough memory for them");
}

result<void> derive_by_pbkdf2(const json::object& with, std::string_view password, derived_key& out)
{
    constexpr std::uint64_t most_rounds = 10'000'000;
    const auto rounds = count_at(with, "c", most_rounds);
    if (!rounds)
        return rounds.error();
    const auto salt = bytes_at(with, "salt");
    if (!salt)
        return salt.error();
    if (text_at(with, "prf") != "hmac-sha256")
        return wrong("prf", "expected hmac-sha256");
    const int done = PKCS5_PBKDF2_HMAC(
        password.data(),
        static_cast<int>(password.size()),
        salt->data(),
        static_cast<int>(salt->size()),
        static_cast<int>(*rounds),
        EVP_sha256(),
        static_cast<int>(out.size()),
        out.data()
    );
    return done == 1 ? result<void>() : wrong("kdfparams", "OpenSSL refuses them");
}

result<void> derive(const json::object& crypto, std::string_view password, derived_key& out)
{
    const auto with = object_at(crypto, "kdfparams", "kdfparams");
    if (!with)
        return with.error();
    const auto size = count_at(**with, "dklen", derived_size);
    if (!size || *size != derived_size)
        return wrong("dklen", "expected 32");
    const std::string_view kdf = text_at(crypto, "kdf");
    if (kdf == "scrypt")
        return derive_by_scrypt(**with, password, out);
    if (kdf == "pbkdf2")
        return derive_by_pbkdf2(**with, password, out);
    return wrong("kdf", "expected scrypt or pbkdf2");
}

/// keccak256(the derived key's second half, ciphertext)
bool mac_fits(const derived_key& derived, const bytes& ciphertext, const bytes& mac)
{
    wiped<bytes> text;
    text.bytes.assign(derived.begin() + cipher_key_size, derived.end());
    text.bytes.insert(text.bytes.end(), ciphertext.begin(), ciphertext.end());
    const word own = keccak256(text.bytes);
    return mac.size() == own.size() && CRYPTO_memcmp(mac.data(), own.data(), own.size()) == 0;
}

bool decrypt(const derived_key& derived, const bytes& iv, const bytes& ciphertext, word& out)
{
    const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
        EVP_CIPHER_CTX_new(), &EVP_CIPHER_CTX_free
    );
    int size = 0;
    return context &&
           EVP_DecryptInit_ex(context.get(), EVP_aes_128_ctr(), nullptr, derived.data(), iv.data()) == 1 &&
           EVP_DecryptUpdate(
               context.get(), out.data(), &size, ciphertext.data(), static_cast<int>(ciphertext.size())
           ) == 1 &&
           size == static_cast<int>(out.size());
}

/// If the file says whose key it is, that has to be so.
result<void> check_address(const json::object& file, const address& own)
{
    const std::string_view said = text_at(file, "address");
    if (said.empty())
        return {};
    const auto read = address::parse(said.starts_with("0x") ? std::string(said) : "0x" + std::string(said));
    if (!read || *read != own)
        return wrong("address", fmt::format("the key in it is that of {}", own.to_checksum()));
    return {};
}

/// What of the file has to fit before anything costs time.
struct sealed
{
    bytes iv;
    bytes ciphertext;
    bytes mac;
};

result<sealed> read_sealed(const json::object& crypto)
{
    if (text_at(crypto, "cipher") != "aes-128-ctr")
        return wrong("cipher", "expected aes-128-ctr");
    const auto parameters = object_at(crypto, "cipherparams", "cipherparams");
    if (!parameters)
        return parameters.error();
    auto iv = bytes_at(**parameters, "iv");
    if (!iv || iv->size() != cipher_key_size)
        return wrong("iv", "expected 16 bytes in hexadecimal");
    auto ciphertext = bytes_at(crypto, "ciphertext");
    if (!ciphertext || ciphertext->size() != sizeof(word))
        return wrong("ciphertext", "expected 32 bytes in hexadecimal");
    auto mac = bytes_at(crypto, "mac");
    if (!mac)
        return mac.error();
    return sealed{std::move(*iv), std::move(*ciphertext), std::move(*mac)};
}

}  // namespace

result<private_key> open_keystore(std::string_view json_text, std::string_view password)
{
    if (json_text.size() > longest_file)
        return fail(errc::invalid, "the keystore is longer than {} bytes", longest_file);
    boost::system::error_code failed;
    const json::value parsed = json::parse(json_text, failed);
    const json::object* file = failed ? nullptr : parsed.if_object();
    if (!file)
        return fail(errc::invalid, "the keystore is no JSON object, as geth's and cast's key files are");
    const auto version = count_at(*file, "version", 3);
    if (!version || *version != 3)
        return wrong("version", "expected 3");
    const auto crypto = object_at(*file, "crypto", "Crypto");
    if (!crypto)
        return crypto.error();
    const auto content = read_sealed(**crypto);
    if (!content)
        return content.error();
    wiped<derived_key> derived;
    auto done = derive(**crypto, password, derived.bytes);
    if (!done)
        return done.error();
    if (!mac_fits(derived.bytes, content->ciphertext, content->mac))
        return fail(
            errc::invalid, "the keystore does not open with this password, or was changed: its MAC differs"
        );
    wiped<word> key;
    if (!decrypt(derived.bytes, content->iv, content->ciphertext, key.bytes))
        return fail(errc::invalid, "the keystore cannot be decrypted");
    auto made = private_key::from_bytes(key.bytes);
    if (!made)
        return made.error();
    done = check_address(*file, made->address());
    if (!done)
        return done.error();
    return made;
}

}  // namespace portitor::evm

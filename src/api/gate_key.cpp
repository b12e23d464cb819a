#include <portitor/api/gate_key.hpp>
#include <portitor/core/small_file.hpp>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdint>
#include <stdexcept>

namespace portitor::api {

namespace {

constexpr std::string_view query_begin = "?token=";

// Without the lengths "a" of "bc" would be "ab" of "c".
void append_sized(std::string& out, std::string_view text)
{
    constexpr unsigned bits = 8;
    const auto size = std::uint64_t(text.size());
    for (unsigned shift = sizeof(size) * bits; shift > 0; shift -= bits)
        out += static_cast<char>((size >> (shift - bits)) & 0xffU);
    out += text;
}

}  // namespace

result<gate_key> gate_key::make(std::string secret)
{
    if (secret.size() < shortest || secret.size() > longest)
        return fail(
            errc::invalid,
            "a gate key has {} to {} bytes, this one has {}; make one with: openssl rand -hex 32",
            shortest,
            longest,
            secret.size()
        );
    return gate_key(std::move(secret));
}

result<gate_key> gate_key::read(const std::string& path)
{
    auto text = read_small_file(path);
    if (!text)
        return text.error();
    auto made = make(trimmed(std::move(*text)));
    if (!made)
        return made.error().within(path);
    return made;
}

std::string gate_key::token_for(std::string_view ns, std::string_view name, std::string_view uid) const
{
    std::string text;
    for (const std::string_view part : {ns, name, uid})
        append_sized(text, part);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    if (HMAC(
            EVP_sha256(),
            secret_.data(),
            static_cast<int>(secret_.size()),
            reinterpret_cast<const unsigned char*>(text.data()),
            text.size(),
            digest.data(),
            &size
        ) == nullptr)
        throw std::runtime_error("OpenSSL makes no HMAC");
    std::string out;
    for (unsigned i = 0; i < size; ++i)
        fmt::format_to(std::back_inserter(out), "{:02x}", digest[i]);
    return out;
}

bool same_token(std::string_view left, std::string_view right)
{
    return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

std::string gate_address(
    std::string_view verifier_url, std::string_view ns, std::string_view offer, std::string_view token
)
{
    std::string out = fmt::format("{}/verify/{}/{}", verifier_url, ns, offer);
    if (!token.empty())
        out.append(query_begin).append(token);
    return out;
}

std::string_view token_in(std::string_view address)
{
    const std::size_t at = address.find('?');
    if (at == address.npos || !address.substr(at).starts_with(query_begin))
        return {};
    const std::string_view token = address.substr(at + query_begin.size());
    return token.find('&') == token.npos ? token : std::string_view();
}

}  // namespace portitor::api

#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>

namespace portitor::api {

/// The secret that controller and verifier share. With it the controller makes the token that stands in the
/// address of an offer's Middleware, and by it the verifier knows that the gateway asks for that very offer.
class gate_key
{
public:
    static constexpr std::size_t shortest = 32;
    static constexpr std::size_t longest = 1024;

    /// errc::invalid for a secret of another length, in bytes; the words do not hold it.
    static result<gate_key> make(std::string secret);

    /// The same of a file, without white space at its ends; errc::not_found where it cannot be read. Blocks.
    static result<gate_key> read(const std::string& path);

    /// HMAC-SHA-256 (RFC 2104) over namespace, name and UID, each after its length (8 bytes, big endian), in
    /// lower-case hexadecimal digits. An offer that was deleted and made anew has another UID, so another
    /// token.
    std::string token_for(std::string_view ns, std::string_view name, std::string_view uid) const;

    bool operator==(const gate_key&) const = default;

private:
    explicit gate_key(std::string secret) : secret_(std::move(secret)) {}

    std::string secret_;
};

/// Whether two tokens are the same, in a time that depends on their lengths only.
bool same_token(std::string_view left, std::string_view right);

/// Where a Middleware asks about an offer: "<verifier>/verify/<namespace>/<offer>", with "?token=<token>"
/// where there is one.
std::string gate_address(
    std::string_view verifier_url, std::string_view ns, std::string_view offer, std::string_view token
);

/// The token in such an address, or in its path and query; empty where its query is anything else.
std::string_view token_in(std::string_view address);

}  // namespace portitor::api

#include <portitor/api/names.hpp>

#include <fmt/format.h>
#include <openssl/sha.h>

#include <array>

namespace portitor::api {

namespace {

constexpr std::size_t longest_name = 253;
constexpr std::size_t longest_label = 63;
constexpr std::size_t digest_digits = 16;

bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The first `length` characters, then "-" and a digest of the whole. The last one kept must not be a point or
// a dash: a label of a DNS name neither starts nor ends with a dash.
std::string shortened(std::string_view text, std::size_t length)
{
    std::string kept(text.substr(0, length));
    if (!is_alphanumeric(kept.back()))
        kept.back() = 'x';
    return kept + "-" + sha256_hex(text, digest_digits);
}

// Shortened names are exactly as long as a name may be, all others are shorter: so the two kinds never meet.
std::string child_name(std::string_view prefix, std::string_view offer, std::string_view suffix)
{
    const std::size_t around = prefix.size() + suffix.size();
    if (around + offer.size() < longest_name)
        return fmt::format("{}{}{}", prefix, offer, suffix);
    return fmt::format("{}{}{}", prefix, shortened(offer, longest_name - around - digest_digits - 1), suffix);
}

}  // namespace

std::string middleware_name(std::string_view offer)
{
    return child_name("x402-", offer, "");
}

std::string cors_middleware_name(std::string_view offer)
{
    return child_name("cors-", offer, "");
}

std::string in_flight_middleware_name(std::string_view offer)
{
    return child_name("inflight-", offer, "");
}

std::string rate_middleware_name(std::string_view offer)
{
    return child_name("rate-", offer, "");
}

std::string http_route_name(std::string_view offer)
{
    return child_name("so-", offer, "");
}

std::string payment_route_name(std::string_view offer)
{
    return child_name("", offer, "-payment");
}

std::string registration_name(std::string_view offer)
{
    return child_name("", offer, "-registration");
}

std::string label_value(std::string_view name)
{
    return name.size() <= longest_label ? std::string(name)
                                        : shortened(name, longest_label - digest_digits - 1);
}

std::string sha256_hex(std::string_view text, std::size_t digits)
{
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    std::string out;
    for (const unsigned char byte : digest)
        out += fmt::format("{:02x}", byte);
    out.resize(std::min(digits, out.size()));
    return out;
}

}  // namespace portitor::api

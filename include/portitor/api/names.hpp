#pragma once

#include <string>
#include <string_view>

namespace portitor::api {

/// Names of an offer's children. Two offers never share one: a name is either the offer's between a fixed
/// prefix and suffix (at most 252 characters), or exactly 253 characters with a digest of the offer's whole
/// name in it.
std::string middleware_name(std::string_view offer);            ///< "x402-<offer>"
std::string cors_middleware_name(std::string_view offer);       ///< "cors-<offer>"
std::string in_flight_middleware_name(std::string_view offer);  ///< "inflight-<offer>"
std::string rate_middleware_name(std::string_view offer);       ///< "rate-<offer>"
std::string http_route_name(std::string_view offer);            ///< "so-<offer>"
std::string payment_route_name(std::string_view offer);         ///< "<offer>-payment"
std::string registration_name(std::string_view offer);          ///< "<offer>-registration"

/// The name of the HTTPRoute that publishes the discovery documents, in the release's namespace.
inline constexpr const char* discovery_route_name = "portitor-discovery";

/// The name as a label value: itself up to 63 characters, beyond that shortened with a digest.
std::string label_value(std::string_view name);

/// The first `digits` hexadecimal digits of the SHA-256 of `text`.
std::string sha256_hex(std::string_view text, std::size_t digits = 64);

}  // namespace portitor::api

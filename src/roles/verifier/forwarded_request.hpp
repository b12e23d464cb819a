#pragma once

#include "roles/verifier/request_path.hpp"

#include <portitor/core/http.hpp>
#include <portitor/x402/payment.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace portitor::verifier {

/// What the gateway tells of the request that it asks about, read strictly: everything here was set by the
/// gateway, or the request is refused.
struct forwarded_request
{
    std::string uri;     ///< path and query as the client sent them
    std::string method;  ///< "GET" for HEAD, which is priced alike
    std::string scheme;  ///< "http" or "https"
    std::string host;
    request_path path;

    struct payment_text
    {
        x402::payment_header header;
        std::string value;
    };
    std::optional<payment_text> payment;
};

/// errc::invalid: a header that we read or vouch for comes twice or as a list, under an alias ("X_Payer"), or
/// cannot be read in one way only; or two payments come at once. errc::refused: X-Forwarded-Uri is missing,
/// so the request did not come through a ForwardAuth middleware.
result<forwarded_request> read_forwarded_request(const http::request& message);

}  // namespace portitor::verifier

#pragma once

#include "route/request_path.hpp"

#include <portitor/http/server_request.hpp>
#include <portitor/x402/payment.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace portitor::verifier {

/// What the gateway tells of the request that it asks about, read strictly: everything here was set by the
/// gateway, or the request is refused. The texts are views into the gateway's question. Made to be read into
/// again and again: that costs no allocation.
struct forwarded_request
{
    std::string_view uri;     ///< path and query as the client sent them, what is not ASCII escaped
    std::string_view method;  ///< "GET" for HEAD, which is priced alike
    std::string_view scheme;  ///< "http" or "https"
    std::string_view host;
    route::request_path path;

    struct payment_text
    {
        x402::payment_header header;
        std::string_view value;
    };
    std::optional<payment_text> payment;

    // The client's own, and as it likes them.
    std::string_view accept;
    std::string_view user_agent;
    std::string_view request_id;  ///< X-Request-Id, for the log; empty where it is odd

    std::string escaped_uri;  ///< what `uri` views where something was escaped
};

/// errc::invalid: a header that we read or vouch for comes twice or as a list, under an alias ("X_Payer"), or
/// cannot be read in one way only; or two payments come at once. errc::refused: X-Forwarded-Uri is missing,
/// so the request did not come through a ForwardAuth middleware. `into` is unspecified then.
result<void> read_forwarded_request(const http::server_request& message, forwarded_request& into);

}  // namespace portitor::verifier

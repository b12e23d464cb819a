#pragma once

#include <portitor/x402/requirement.hpp>

#include <span>
#include <string>
#include <string_view>

namespace portitor::x402 {

inline constexpr std::string_view payment_required_header = "PAYMENT-REQUIRED";

/// The header's value is at most so long: clients and proxies refuse header fields of more than 8 kB.
inline constexpr std::size_t max_payment_required = 8 * 1024;

/// One 402 that clients of both versions can pay: v2 clients read the header first, v1 clients only the body.
struct payment_required
{
    std::string header_value;  ///< of PAYMENT-REQUIRED: base64 of a v2 PaymentRequired
    std::string body;          ///< JSON, a v1 PaymentRequirementsResponse
};

/// `error` stands in both; it is for people and may be the reason why a payment was refused. The resource is
/// that of the first requirement. Requirements that v1 cannot express are left out of the body. In the header
/// a description that does not fit is cut, with an ellipsis; the caller bounds what else there is.
payment_required
make_payment_required(std::span<const payment_requirement> requirements, std::string_view error);

/// The same into strings that were used before, so that it costs no allocation. `json` is only worked in.
void write_payment_required(
    payment_required& out,
    std::string& json,
    std::span<const requirement_view> requirements,
    std::string_view error
);

}  // namespace portitor::x402

#pragma once

#include <array>
#include <cstddef>

namespace portitor::route {

/// How a question of the gateway ended, for metrics and the log.
enum class outcome : unsigned char
{
    granted_free,
    paid,
    paid_again,
    payment_required,
    bad_request,
    bad_payment,
    not_matched,
    bad_signature,
    not_paid,
    already_used,
    outside_route,
    wrong_method,
    unknown_route,
    wrong_token,
    suspended,
    no_credential,
    busy,
    facilitator,
    facilitator_broken,
    settlement_unknown,
    ledger,
    internal,
};

inline constexpr std::array outcome_names{
    "free",          "paid",         "paid_again",    "payment_required",   "bad_request",
    "bad_payment",   "not_matched",  "bad_signature", "not_paid",           "already_used",
    "outside_route", "wrong_method", "unknown_route", "wrong_token",        "suspended",
    "no_credential", "busy",         "facilitator",   "facilitator_broken", "settlement_unknown",
    "ledger",        "internal",
};

inline const char* to_string(outcome which)
{
    return outcome_names[static_cast<std::size_t>(which)];
}

}  // namespace portitor::route

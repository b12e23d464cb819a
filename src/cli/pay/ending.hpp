#pragma once

namespace portitor::cli::pay {

/// What came of a request.
enum class ending
{
    terms,    ///< a 402 of x402, and nothing was paid
    free,     ///< served without a payment
    served,   ///< served for the payment
    refused,  ///< 402 to the payment: the server says that it did not settle
    used,     ///< 409 to the payment: it can buy nothing (any more)
    unknown,  ///< nobody can tell whether the payment settled
    unsent,   ///< the server was not reached with the payment: nothing was charged
    moved,    ///< a redirect, which is not followed
    failed,   ///< another status
};

/// "terms", "free", …
const char* to_string(ending how) noexcept;

/// Whether a payment that ended so may still settle, as far as this side can tell: then no other one is to be
/// made before it has ended, and the same one may be sent again.
bool is_open(ending how) noexcept;

}  // namespace portitor::cli::pay

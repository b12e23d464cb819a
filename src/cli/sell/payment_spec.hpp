#pragma once

#include "cli/sell/offer_flags.hpp"

namespace portitor::cli::sell {

/// Writes spec.payment: what the flags say goes before what is there, and defaults fill the rest. Names the
/// flag that is wrong or missing. Reads X402_WALLET where nothing says who is paid.
result<void> fill_payment(const offer_flags& of, boost::json::object& payment);

}  // namespace portitor::cli::sell

#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/api/payment_route.hpp>

#include <string>

namespace portitor::cli::sell {

/// "0.001 USDC on Base Sepolia a request", and how it was derived where it was.
std::string price_in_words(const api::payment_route& terms, const x402::network_table& networks);

/// The price as an offer has it written: "0.001", "2/MTok", "0.5/h"; empty where it has none.
std::string written_price(const kube::object& offer);

}  // namespace portitor::cli::sell

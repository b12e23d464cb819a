#pragma once

#include "cli/once/report.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/api/service_offer.hpp>
#include <portitor/core/u256.hpp>

#include <optional>

namespace portitor::cli::once {

/// What an offer is sold by, in words; nothing where its spec and the operator's lists do not say it.
std::optional<terms_report> terms_of(const api::service_offer& offer, const offer::plan_settings& settings);

/// How a price of a request is made of what is written: "2.5 USDC per MTok x 1000 tokens = 0.0025 USDC".
/// Empty where it is what is written.
std::string derivation(const api::price& written, const x402::token& asset, const u256& atomic);

}  // namespace portitor::cli::once

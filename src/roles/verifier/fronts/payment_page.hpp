#pragma once

#include "route/served_route.hpp"

#include <string>
#include <string_view>

namespace portitor::verifier {

/// Whether a person's browser asks, by the rule of the x402 SDKs: Accept names text/html and User-Agent says
/// Mozilla.
bool wants_page(std::string_view accept, std::string_view user_agent);

/// The page that a browser gets with a 402: what is sold, for how much, and how programs pay. Holds nothing
/// of the request.
void write_payment_page(std::string& out, const route::served_route& route, const route::terms& price);

}  // namespace portitor::verifier

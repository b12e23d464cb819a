#pragma once

#include <portitor/api/payment_route.hpp>

#include <optional>
#include <string>

namespace portitor::offer {

/// A path below the offer's that costs something, with its query; nothing where all is free. Each "*" in it
/// stands for a word that is still to be put there, see filled_path(): one that nobody can guess, so that
/// nobody can answer for the gate on that path alone.
std::optional<std::string> paid_path(const api::payment_route& route);

}  // namespace portitor::offer

#pragma once

#include <portitor/api/payment_route.hpp>

#include <optional>
#include <string>

namespace portitor::offer {

/// A path below the offer's that costs something; nothing where all is free.
std::optional<std::string> paid_path(const api::payment_route& route);

}  // namespace portitor::offer

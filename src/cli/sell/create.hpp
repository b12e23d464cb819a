#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli::sell {

/// `sell http`: writes a ServiceOffer of that type from flags, and waits until it is sold.
std::unique_ptr<action> make_http();

/// `sell inference`, likewise.
std::unique_ptr<action> make_inference();

}  // namespace portitor::cli::sell

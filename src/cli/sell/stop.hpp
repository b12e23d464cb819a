#pragma once

#include "cli/command.hpp"

#include <memory>

namespace portitor::cli::sell {

/// `sell stop`: sets the end of an offer, which stays paid until then.
std::unique_ptr<action> make_stop();

}  // namespace portitor::cli::sell

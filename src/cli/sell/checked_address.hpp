#pragma once

#include <portitor/core/error.hpp>

#include <string>
#include <string_view>

namespace portitor::cli::sell {

/// An address that money is to go to, as it was written. Where its digits are of both cases, their checksum
/// (EIP-55) has to be right. errc::invalid says what is wrong, and never what would be right: a mistyped
/// address must be copied anew.
result<std::string> checked_address(std::string_view text);

}  // namespace portitor::cli::sell

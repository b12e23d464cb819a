#pragma once

#include <portitor/evm/address.hpp>

#include <string_view>

namespace portitor::config {

/// An address that the operator wrote. Upper and lower case together are the checksum of EIP-55, which has to
/// fit: errc::invalid says how the address is spelled then. One case alone says nothing.
result<evm::address> read_spelled_address(std::string_view text);

}  // namespace portitor::config

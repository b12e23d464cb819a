#pragma once

#include <portitor/evm/address.hpp>

#include <string_view>

namespace portitor::evm {

/// An address that a human wrote. Upper and lower case together are the checksum of EIP-55, which has to
/// fit: errc::invalid says how the address is spelled then. One case alone says nothing.
result<address> read_spelled_address(std::string_view text);

}  // namespace portitor::evm

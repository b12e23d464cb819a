#pragma once

#include <portitor/config/chains.hpp>
#include <portitor/x402/networks.hpp>

#include <string>

namespace portitor::config {

/// The chain with a registry that is meant by any name of its network, the first one by none; nullptr where
/// there is none.
const chain*
find_chain(const std::string& name, const chain_list& chains, const x402::network_table& networks);

}  // namespace portitor::config

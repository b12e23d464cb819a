#pragma once

#include <portitor/config/chains.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/x402/networks.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <map>
#include <string>

namespace portitor::verifier {

/// The nodes of the operator's chains, by CAIP-2 network. errc::invalid where one of them is no chain that
/// can be asked, in words for the operator. Client and timekeeper must outlive them.
result<std::map<std::string, x402::settlement_node>> settlement_nodes(
    http::client& client,
    const timekeeper& time,
    const config::chain_list& chains,
    const x402::network_table& networks
);

}  // namespace portitor::verifier

#pragma once

#include <portitor/api/registration_request.hpp>
#include <portitor/config/chains.hpp>
#include <portitor/config/networks.hpp>
#include <portitor/config/registrar_lists.hpp>
#include <portitor/evm/address.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace portitor::registrar {

/// With which key a request is signed.
enum class key_source
{
    operators,
    own,  ///< the Secret that it names
};

/// Where and by whom a request may be executed.
struct permission
{
    const config::chain* chain = nullptr;
    std::uint64_t chain_id = 0;
    evm::address registry;
    key_source key = key_source::operators;
    bool hand_back = false;  ///< an adopted identity gets its former URI back
};

/// Why nothing is sent for a request.
struct off_chain
{
    std::string
        reason;  ///< CamelCase: NoChain, NoNode, NoKey, RegistryNotAllowed, KeyNotAllowed, IdentityNotAllowed
    std::string message;  ///< what is missing, and who can change it
    bool is_end = true;   ///< OffChainOnly; false: the request is refused (Failed)
};

/// Pure. `has_operator_key`: whether the operator gave one.
std::variant<permission, off_chain> judge_permission(
    const api::registration_request& request,
    const config::chain_list& chains,
    const x402::network_table& networks,
    const config::registrar_lists& lists,
    bool has_operator_key
);

}  // namespace portitor::registrar

#pragma once

#include <portitor/core/u256.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/evm/keccak.hpp>

#include <initializer_list>
#include <optional>
#include <string_view>

namespace portitor::evm {

/// A number as one word of Solidity's ABI: big-endian.
word to_word(const u256& value);

/// An address as one word of Solidity's ABI: twelve zeros before it.
word to_word(const address& value);

/// Whom a signature of typed data is for (EIP-712, "Definition of domainSeparator").
struct eip712_domain
{
    std::string_view name;                    ///< UTF-8
    std::optional<std::string_view> version;  ///< absent from the type where empty, as Permit2 has it
    u256 chain_id;
    address verifying_contract;
};

/// The hash of the domain; its type has the fields that are set, in the standard's order.
word domain_separator(const eip712_domain& domain);

/// EIP-712's hashStruct: Keccak-256 of the type's hash and of one word a member. A number or an address is
/// to_word() of it, a text the hash of its bytes, a struct its own hash_struct().
/// @param type_hash keccak256() of the type, followed by the types that it refers to, sorted by name
word hash_struct(const word& type_hash, std::initializer_list<word> members);

/// What is signed: Keccak-256 of 0x19 0x01, the domain and the struct.
word typed_data_digest(const word& separator, const word& struct_hash);

}  // namespace portitor::evm

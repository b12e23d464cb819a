#pragma once

#include <portitor/evm/address.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/evm/private_key.hpp>
#include <portitor/evm/rlp.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace portitor::evm {

/// A transaction of type 2 (EIP-1559). Fees are in wei for a unit of gas.
struct transaction
{
    std::uint64_t chain_id = 0;
    std::uint64_t nonce = 0;
    u256 max_priority_fee;
    u256 max_fee;
    std::uint64_t gas_limit = 0;
    address to;
    u256 value;
    bytes data;
    /// EIP-2930: contracts, and the slots of theirs that are read.
    std::vector<std::pair<address, std::vector<word>>> access_list{};

    bool operator==(const transaction&) const = default;
};

/// In wei, without its value and what a rollup charges beside the gas.
inline u256 most_cost(const transaction& what)
{
    return what.max_fee * what.gas_limit;
}

/// What a node is given, and by what it knows it.
struct signed_transaction
{
    bytes raw;
    word hash{};
};

/// Whose Keccak-256 is signed: the envelope with the type and all fields.
bytes signing_payload(const transaction& what);

/// What is signed.
word signing_hash(const transaction& what);

/// `signature` is of signing_hash(), as private_key::sign() gives it.
signed_transaction with_signature(const transaction& what, const signature_bytes& signature);

/// Takes what somebody else signed: it must be exactly this transaction, in its one encoding, and signed by
/// `sender`. errc::protocol says what is wrong.
result<signed_transaction>
check_signed(const transaction& what, std::span<const std::uint8_t> raw, const address& sender);

/// The fields of a signed transaction of type 2, as it was kept. errc::protocol where it is none, or has an
/// access list. Who signed it is not looked at.
result<transaction> read_signed(std::span<const std::uint8_t> raw);

}  // namespace portitor::evm

#pragma once

#include <portitor/core/error.hpp>
#include <portitor/core/u256.hpp>
#include <portitor/evm/address.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/evm/rlp.hpp>

#include <string>
#include <string_view>

/// Solidity's contract ABI (https://docs.soliditylang.org/en/latest/abi-spec.html), as far as calls and
/// events of registries need it. Any thread.
namespace portitor::evm {

/// The arguments of a call, the members of a struct or the elements of an array, in their order.
class abi_values
{
public:
    abi_values& add(const u256& number);
    abi_values& add(const address& account);
    abi_values& add_string(std::string_view text);  ///< `string`; also `bytes` held in a text
    abi_values& add_bytes(std::span<const std::uint8_t> content);
    abi_values& add_tuple(const abi_values& members);  ///< of a struct that has a dynamic member
    abi_values& add_array(const abi_values& elements);

    /// Offsets count from the first byte.
    bytes encode() const;

private:
    struct slot
    {
        word head{};
        bytes tail{};
        bool is_dynamic = false;
    };

    void add_dynamic(bytes tail);

    std::vector<slot> slots_;
};

/// A call's data: the first four bytes of the hash of its signature, such as "ownerOf(uint256)", and the
/// arguments.
bytes call_data(std::string_view signature, const abi_values& arguments);

// What an answer or an event holds. `slot` counts words from the front. errc::protocol where the data is too
// short, or says of itself what cannot be.
result<u256> abi_number(std::span<const std::uint8_t> data, std::size_t slot);
result<address> abi_address(std::span<const std::uint8_t> data, std::size_t slot);
result<std::string> abi_string(std::span<const std::uint8_t> data, std::size_t slot);  ///< also of `bytes`

/// A word that holds an address. errc::protocol where the first twelve bytes are not zero.
result<address> address_of(const word& from);

/// A word as a number.
u256 number_of(const word& from);

}  // namespace portitor::evm

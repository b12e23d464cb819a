#include <portitor/evm/eip712.hpp>

#include <algorithm>
#include <vector>

namespace portitor::evm {

word to_word(const u256& value)
{
    word out{};
    if (value == 0)
        return out;
    // export_bits writes no leading zeros.
    const std::size_t bytes = boost::multiprecision::msb(value) / 8 + 1;
    boost::multiprecision::export_bits(value, out.end() - static_cast<std::ptrdiff_t>(bytes), 8);
    return out;
}

word to_word(const address& value)
{
    word out{};
    std::copy(value.bytes().begin(), value.bytes().end(), out.end() - value.bytes().size());
    return out;
}

word domain_separator(const eip712_domain& domain)
{
    static const word versioned =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    static const word unversioned =
        keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
    const word name = keccak256(domain.name);
    const word chain = to_word(domain.chain_id);
    const word contract = to_word(domain.verifying_contract);
    if (domain.version)
        return hash_struct(versioned, {name, keccak256(*domain.version), chain, contract});
    return hash_struct(unversioned, {name, chain, contract});
}

word hash_struct(const word& type_hash, std::initializer_list<word> members)
{
    std::vector<std::uint8_t> encoded;
    encoded.reserve((1 + members.size()) * type_hash.size());
    encoded.insert(encoded.end(), type_hash.begin(), type_hash.end());
    for (const word& member : members)
        encoded.insert(encoded.end(), member.begin(), member.end());
    return keccak256(encoded);
}

word typed_data_digest(const word& separator, const word& struct_hash)
{
    std::array<std::uint8_t, 66> encoded{0x19, 0x01};
    const auto middle = std::copy(separator.begin(), separator.end(), encoded.begin() + 2);
    std::copy(struct_hash.begin(), struct_hash.end(), middle);
    return keccak256(encoded);
}

}  // namespace portitor::evm

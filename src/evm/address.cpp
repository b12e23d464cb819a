#include <portitor/evm/address.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/keccak.hpp>

namespace portitor::evm {

result<address> address::parse(std::string_view text)
{
    bytes_type bytes{};
    if (!parse_hex(text, bytes))
        return fail(errc::invalid, "not an address: expected \"0x\" and 40 hexadecimal digits");
    return address(bytes);
}

std::string address::to_string() const
{
    return to_hex(bytes_);
}

std::string address::to_checksum() const
{
    std::string text = to_string();
    const word hash = keccak256(std::string_view(text).substr(2));
    for (std::size_t i = 0; i < 2 * bytes_.size(); ++i)
    {
        const unsigned digit = i % 2 == 0 ? hash[i / 2] >> 4 : hash[i / 2] & 15;
        char& c = text[2 + i];
        if (digit >= 8 && c >= 'a')
            c = static_cast<char>(c - 'a' + 'A');
    }
    return text;
}

}  // namespace portitor::evm

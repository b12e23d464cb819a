#include <portitor/evm/address.hpp>
#include <portitor/evm/hex.hpp>

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

}  // namespace portitor::evm

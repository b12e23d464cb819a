#include <portitor/evm/spelled_address.hpp>

#include <algorithm>

namespace portitor::evm {

result<address> read_spelled_address(std::string_view text)
{
    const auto read = address::parse(text);
    if (!read)
        return fail(errc::invalid, "an address is wanted: 0x and 40 hexadecimal digits");
    const std::string_view digits = text.substr(2);
    const auto is_between = [&](char first, char last) {
        return std::any_of(digits.begin(), digits.end(), [=](char each) {
            return each >= first && each <= last;
        });
    };
    if (is_between('a', 'f') && is_between('A', 'F') && text != read->to_checksum())
        return fail(
            errc::invalid,
            "a digit or its case is wrong, the checksum of EIP-55 says. If the digits are right, the address "
            "is spelled {}, or in lower case",
            read->to_checksum()
        );
    return *read;
}

}  // namespace portitor::evm

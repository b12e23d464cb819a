#include "cli/sell/checked_address.hpp"

#include "cli/output/text.hpp"

#include <portitor/evm/address.hpp>
#include <portitor/evm/keccak.hpp>

#include <algorithm>

namespace portitor::cli::sell {

namespace {

bool is_lower(char c)
{
    return c >= 'a' && c <= 'f';
}

bool is_upper(char c)
{
    return c >= 'A' && c <= 'F';
}

// A letter is upper-case where the hash of the lower-case digits has 8 or more at its place.
bool has_right_checksum(std::string_view digits, std::string_view lower)
{
    const evm::word hash = evm::keccak256(lower);
    for (std::size_t i = 0; i < digits.size(); ++i)
    {
        const unsigned nibble = i % 2 == 0 ? hash[i / 2] >> 4U : hash[i / 2] & 0xfU;
        if ((is_upper(digits[i]) && nibble < 8) || (is_lower(digits[i]) && nibble >= 8))
            return false;
    }
    return true;
}

}  // namespace

result<std::string> checked_address(std::string_view text)
{
    const auto read = evm::address::parse(text);
    if (!read)
        return fail(
            errc::invalid,
            "\"{}\" is no address: 0x and exactly 40 hexadecimal digits; check that none is missing",
            printable(text, 100)
        );
    if (read->is_zero())
        return fail(errc::invalid, "the zero address is nobody's: what is paid to it is lost");
    const std::string_view digits = text.substr(2);
    const bool mixed = std::any_of(digits.begin(), digits.end(), is_lower) &&
                       std::any_of(digits.begin(), digits.end(), is_upper);
    if (mixed && !has_right_checksum(digits, read->to_string().substr(2)))
        return fail(
            errc::invalid,
            "{} is mistyped: its capital letters are a checksum (EIP-55), and do not fit; copy the address "
            "again",
            text
        );
    return std::string(text);
}

}  // namespace portitor::cli::sell

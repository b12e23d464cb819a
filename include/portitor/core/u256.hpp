#pragma once

#include <portitor/core/error.hpp>

#include <boost/multiprecision/cpp_int.hpp>

#include <string>
#include <string_view>

namespace portitor {

/// An unsigned integer of 256 bits, as the EVM counts. Arithmetic that overflows or goes below zero throws
/// std::overflow_error or std::range_error instead of wrapping.
using u256 = boost::multiprecision::checked_uint256_t;

/// Reads `[0-9]+` of at most 78 digits and at most 2^256-1; no sign, no spaces, no "0x". errc::invalid
/// otherwise.
result<u256> parse_u256(std::string_view decimal);

/// Decimal digits without leading zeros.
std::string to_string(const u256& value);

/// Atomic units of a decimal amount such as "0.001" in an asset of `decimals` places: exact, never rounded.
/// errc::invalid for anything but `digits[.digits]`, for more places than the asset has and for an overflow;
/// the message says which. Zero is a valid result: whether it may be charged is the caller's question.
result<u256> atomic_units(std::string_view amount, unsigned decimals);

/// As atomic_units(), for the fraction amount * numerator / denominator, rounded up to one atomic unit.
/// @pre denominator > 0
result<u256> atomic_units_of_fraction(
    std::string_view amount, unsigned decimals, unsigned numerator, unsigned denominator
);

/// The decimal amount of so many atomic units, without trailing zeros: 1500 at 6 decimals is "0.0015".
std::string decimal_amount(const u256& atomic, unsigned decimals);

}  // namespace portitor

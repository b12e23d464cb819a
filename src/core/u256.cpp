#include <portitor/core/u256.hpp>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

namespace portitor {

namespace {

// Wide enough for any written amount times 10^77 and a small numerator, so that only the last step can
// overflow.
using wide = boost::multiprecision::checked_uint1024_t;

constexpr std::size_t max_digits = 78;  // 2^256 has 78 digits
constexpr unsigned max_decimals = 77;

bool all_digits(std::string_view text)
{
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

struct written_amount
{
    std::string digits;    // whole and fractional digits, without the point
    std::size_t places{};  // how many of them are fractional
};

result<written_amount> read_amount(std::string_view amount)
{
    const auto point = amount.find('.');
    const auto whole = amount.substr(0, point);
    const auto fraction = point == amount.npos ? std::string_view() : amount.substr(point + 1);
    if (!all_digits(whole) || (point != amount.npos && !all_digits(fraction)))
        return fail(
            errc::invalid, "\"{}\" is not a decimal amount such as \"0.01\" (digits and one point)", amount
        );
    if (whole.size() > max_digits || fraction.size() > max_decimals)
        return fail(errc::invalid, "\"{}\" has too many digits", amount);
    return written_amount{std::string(whole) + std::string(fraction), fraction.size()};
}

result<u256> narrow(const wide& value, std::string_view amount)
{
    if (value > wide((std::numeric_limits<u256>::max)()))
        return fail(errc::invalid, "{} is more than 2^256-1 atomic units", amount);
    return u256(value);
}

// Decimal text may start with zeros, which Boost would take for an octal number.
wide to_wide(std::string_view digits)
{
    const auto first = std::min(digits.find_first_not_of('0'), digits.size() - 1);
    return wide(std::string(digits.substr(first)));
}

}  // namespace

result<u256> parse_u256(std::string_view decimal)
{
    if (!all_digits(decimal) || decimal.size() > max_digits)
        return fail(errc::invalid, "not an unsigned decimal integer of at most 256 bits");
    return narrow(to_wide(decimal), "the number");
}

std::string to_string(const u256& value)
{
    // Most are, and this takes a tenth of the time.
    if (value <= std::numeric_limits<std::uint64_t>::max())
        return std::to_string(static_cast<std::uint64_t>(value));
    return value.str();
}

result<u256> atomic_units(std::string_view amount, unsigned decimals)
{
    auto read = read_amount(amount);
    if (!read)
        return read.error();
    if (read->places > decimals)
        return fail(
            errc::invalid,
            "\"{}\" has {} decimal places, but the asset has only {}: write it with at most {}",
            amount,
            read->places,
            decimals,
            decimals
        );
    return atomic_units_of_fraction(amount, decimals, 1, 1);
}

result<u256>
atomic_units_of_fraction(std::string_view amount, unsigned decimals, unsigned numerator, unsigned denominator)
{
    auto read = read_amount(amount);
    if (!read)
        return read.error();
    if (decimals > max_decimals)
        return fail(errc::invalid, "an asset of {} decimals is not supported", decimals);
    const wide ten(10);
    const wide dividend = to_wide(read->digits) * numerator * pow(ten, decimals);
    const wide divisor = wide(denominator) * pow(ten, static_cast<unsigned>(read->places));
    wide quotient = dividend / divisor;
    if (quotient * divisor != dividend)
        quotient += 1;
    return narrow(quotient, amount);
}

std::string decimal_amount(const u256& atomic, unsigned decimals)
{
    std::string digits = atomic.str();
    if (decimals == 0)
        return digits;
    if (digits.size() <= decimals)
        digits.insert(0, decimals - digits.size() + 1, '0');
    digits.insert(digits.size() - decimals, ".");
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.')
        digits.pop_back();
    return digits;
}

}  // namespace portitor

#pragma once

#include <boost/system/result.hpp>
#include <fmt/format.h>

#include <stdexcept>
#include <string>
#include <utility>

namespace portitor {

/// What kind of failure an error is; the message says the rest in the user's words.
enum class errc
{
    invalid = 1,  ///< the input is wrong and stays wrong until someone changes it
    not_found,    ///< the thing that was asked for does not exist
    conflict,     ///< somebody else changed it first
    refused,      ///< the peer understood and said no
    unavailable,  ///< the peer cannot be reached or is overloaded; trying again may help
    timed_out,    ///< no answer within the deadline; the outcome is unknown
    protocol,     ///< the peer answered something that its protocol does not allow
    canceled,     ///< this side is shutting down
};

/// The name of a code as it stands in logs, such as "timed_out".
const char* to_string(errc code) noexcept;

/// An expected failure: a kind and a sentence that names the object, what was expected and what to do.
/// Messages never hold secrets, payment headers or response bodies.
class error
{
public:
    /// No error at all; result<T>::error() needs it for a result that has a value.
    error() = default;
    error(errc code, std::string message) : code_(code), message_(std::move(message)) {}

    errc code() const noexcept { return code_; }
    const std::string& message() const noexcept { return message_; }

    /// The same failure, told from one level further up: "<context>: <message>".
    error within(std::string_view context) const { return {code_, fmt::format("{}: {}", context, message_)}; }

private:
    errc code_{};
    std::string message_;
};

/// Formats an error in place: `return fail(errc::invalid, "price {} is negative", text);`
template <typename... Args>
error fail(errc code, fmt::format_string<Args...> text, Args&&... args)
{
    return {code, fmt::format(text, std::forward<Args>(args)...)};
}

/// A value or the reason why there is none.
template <typename T>
using result = boost::system::result<T, error>;

/// Called by result::value() on an error: only for callers to whom the failure is a broken invariant.
[[noreturn]] inline void throw_exception_from_error(const error& failure, const boost::source_location&)
{
    throw std::runtime_error(failure.message());
}

}  // namespace portitor

#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/object.hpp>
#include <boost/json/string.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

/// Reading JSON that a stranger wrote.
namespace portitor::x402 {

/// Nothing in x402 nests deeper than eight levels; extensions get some room.
inline constexpr std::size_t max_json_depth = 16;

/// Strict RFC 8259, valid UTF-8, at most max_json_depth levels, an object, and no name twice in one object:
/// two readers could take different ones. errc::invalid otherwise; the message quotes nothing of the text.
result<boost::json::object> parse_object(std::string_view text);

/// Null unless the member is there and a string.
const boost::json::string* string_member(const boost::json::object& from, std::string_view name);

/// Null unless the member is there and an object.
const boost::json::object* object_member(const boost::json::object& from, std::string_view name);

/// Empty unless the member is there and a boolean.
std::optional<bool> bool_member(const boost::json::object& from, std::string_view name);

/// Empty unless the member is there and an integer that fits, also where it is written as 300.0 or 3e2.
std::optional<std::int64_t> integer_member(const boost::json::object& from, std::string_view name);

/// True where the member is absent or null, which x402 treats alike for everything optional.
bool lacks(const boost::json::object& from, std::string_view name);

inline std::string_view view(const boost::json::string& text)
{
    return {text.data(), text.size()};
}

}  // namespace portitor::x402

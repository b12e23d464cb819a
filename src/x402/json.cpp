#include "x402/json.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cmath>

namespace portitor::x402 {

namespace json = boost::json;

namespace {

std::size_t count_members(const json::value& value)
{
    std::size_t count = 0;
    if (const auto* object = value.if_object())
    {
        count += object->size();
        for (const auto& member : *object)
            count += count_members(member.value());
    }
    else if (const auto* array = value.if_array())
    {
        for (const auto& element : *array)
            count += count_members(element);
    }
    return count;
}

// In valid JSON every colon outside a string belongs to one member.
std::size_t count_colons(std::string_view text)
{
    std::size_t count = 0;
    bool inside = false;
    for (std::size_t i = 0; i < text.size(); ++i)
    {
        if (inside && text[i] == '\\')
            ++i;
        else if (text[i] == '"')
            inside = !inside;
        else if (!inside && text[i] == ':')
            ++count;
    }
    return count;
}

const json::value* member(const json::object& from, std::string_view name)
{
    return from.if_contains(json::string_view(name.data(), name.size()));
}

}  // namespace

result<json::object> parse_object(std::string_view text)
{
    json::parse_options options;
    options.max_depth = max_json_depth;
    json::error_code failed;
    // One piece of memory for all values; whoever keeps one of them keeps it.
    auto memory =
        json::make_shared_resource<json::monotonic_resource>(std::max<std::size_t>(1024, 2 * text.size()));
    json::value value =
        json::parse(json::string_view(text.data(), text.size()), failed, std::move(memory), options);
    if (failed)
        return fail(errc::invalid, "not valid JSON ({})", failed.message());
    if (!value.is_object())
        return fail(errc::invalid, "not a JSON object");
    // Boost.JSON keeps the last of several members of one name, so fewer members than colons means a
    // duplicate.
    if (count_members(value) != count_colons(text))
        return fail(errc::invalid, "a JSON object names a member twice");
    return std::move(value.get_object());
}

const json::string* string_member(const json::object& from, std::string_view name)
{
    const json::value* value = member(from, name);
    return value != nullptr ? value->if_string() : nullptr;
}

const json::object* object_member(const json::object& from, std::string_view name)
{
    const json::value* value = member(from, name);
    return value != nullptr ? value->if_object() : nullptr;
}

std::optional<bool> bool_member(const json::object& from, std::string_view name)
{
    const json::value* value = member(from, name);
    if (value == nullptr || !value->is_bool())
        return std::nullopt;
    return value->get_bool();
}

std::optional<std::int64_t> integer_member(const json::object& from, std::string_view name)
{
    // A positive number that fits is an int64 to Boost.JSON; uint64 is beyond what x402 counts. Languages
    // with one kind of number write 300.0 (RFC 8259 section 6), which is exact as far as a double counts by
    // ones.
    constexpr double most = 9007199254740992;
    const json::value* value = member(from, name);
    if (value == nullptr)
        return std::nullopt;
    if (value->is_int64())
        return value->get_int64();
    const double* number = value->if_double();
    if (number == nullptr || std::abs(*number) > most || std::trunc(*number) != *number)
        return std::nullopt;
    return static_cast<std::int64_t>(*number);
}

bool lacks(const json::object& from, std::string_view name)
{
    const json::value* value = member(from, name);
    return value == nullptr || value->is_null();
}

}  // namespace portitor::x402

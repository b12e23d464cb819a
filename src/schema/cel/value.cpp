#include "schema/cel/value.hpp"

#include "schema/shown.hpp"

#include <cmath>

namespace portitor::schema::cel {

namespace json = boost::json;

namespace {

value number_of(const json::value& given, const node* of)
{
    const bool wants_number = of && of->type == value_type::number;
    if (const std::int64_t* whole = given.if_int64())
        return wants_number ? value(static_cast<double>(*whole)) : value(*whole);
    if (const std::uint64_t* large = given.if_uint64())
        return static_cast<double>(*large);
    const double number = given.get_double();
    // The schema has taken it for a whole number.
    if (of && of->type == value_type::integer && std::abs(number) < 9.1e18)
        return static_cast<std::int64_t>(number);
    return number;
}

value text_of(const json::string& given, const node* of)
{
    const std::string_view text(given.data(), given.size());
    if (!of || !of->date_time)
        return std::string(text);
    // What strfmt.ParseDateTime takes beside RFC 3339 passes no date-time format before.
    if (text.empty())
        return moment{};
    if (const auto time = parse_moment(text))
        return *time;
    return failure{"\"" + plain(text) + "\" is no time such as 2030-01-01T00:00:00Z"};
}

}  // namespace

value value_of(const json::value& given, const node* of)
{
    switch (given.kind())
    {
    case json::kind::null:
        return nullptr;
    case json::kind::bool_:
        return given.get_bool();
    case json::kind::string:
        return text_of(given.get_string(), of);
    case json::kind::array:
        return inner_list{&given.get_array(), of};
    case json::kind::object:
        return inner_object{&given.get_object(), of};
    default:
        return number_of(given, of);
    }
}

value value_of(const literal_value& literal)
{
    return std::visit([](const auto& each) { return value(each); }, literal);
}

namespace {

template <typename T>
constexpr bool is_number = std::is_same_v<T, std::int64_t> || std::is_same_v<T, double>;

}  // namespace

std::partial_ordering compare(const value& left, const value& right)
{
    return std::visit(
        [](const auto& one, const auto& other) -> std::partial_ordering {
            using first = std::decay_t<decltype(one)>;
            using second = std::decay_t<decltype(other)>;
            if constexpr (is_number<first> && is_number<second>)
                return static_cast<long double>(one) <=> static_cast<long double>(other);
            else if constexpr (std::is_same_v<first, second> && std::is_same_v<first, std::nullptr_t>)
                return std::partial_ordering::equivalent;
            else if constexpr (std::is_same_v<first, second> && std::three_way_comparable<first>)
                return one <=> other;
            else
                return std::partial_ordering::unordered;
        },
        static_cast<const value::variant&>(left),
        static_cast<const value::variant&>(right)
    );
}

}  // namespace portitor::schema::cel

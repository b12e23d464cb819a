#include "schema/cel/operators.hpp"

#include "schema/shown.hpp"

namespace portitor::schema::cel {

namespace {

value whole_numbers(operation what, std::int64_t left, std::int64_t right)
{
    std::int64_t out = 0;
    bool overflows = false;
    switch (what)
    {
    case operation::add:
        overflows = __builtin_add_overflow(left, right, &out);
        break;
    case operation::subtract:
        overflows = __builtin_sub_overflow(left, right, &out);
        break;
    case operation::multiply:
        overflows = __builtin_mul_overflow(left, right, &out);
        break;
    default:
        if (right == 0)
            return failure{"division by zero"};
        // The one quotient that does not fit.
        overflows = right == -1 && __builtin_sub_overflow(std::int64_t(0), left, &out);
        if (right != -1)
            out = what == operation::divide ? left / right : left % right;
        else if (what == operation::remainder)
            out = 0;
    }
    return overflows ? value(failure{"integer overflow"}) : value(out);
}

}  // namespace

value no_such_type()
{
    return failure{"no such overload"};
}

value ordered(operation what, const value& left, const value& right)
{
    const auto order = compare(left, right);
    if (what == operation::equal)
        return std::is_eq(order);
    if (what == operation::not_equal)
        return !std::is_eq(order);
    if (order == std::partial_ordering::unordered)
        return no_such_type();
    switch (what)
    {
    case operation::less:
        return std::is_lt(order);
    case operation::less_equal:
        return std::is_lteq(order);
    case operation::greater:
        return std::is_gt(order);
    default:
        return std::is_gteq(order);
    }
}

value about_texts(const expression& given, const value& left, const value& right)
{
    const std::string* text = left.as<std::string>();
    const std::string* part = right.as<std::string>();
    if (!text || !part)
        return no_such_type();
    switch (given.what)
    {
    case operation::contains:
        return text->find(*part) != text->npos;
    case operation::starts_with:
        return text->starts_with(*part);
    case operation::ends_with:
        return text->ends_with(*part);
    default:
        return re2::RE2::PartialMatch(*text, *given.pattern);
    }
}

value arithmetic(operation what, const value& left, const value& right)
{
    if (const auto* one = left.as<std::string>(), *other = right.as<std::string>(); one && other)
        return *one + *other;
    if (const auto* one = left.as<std::int64_t>(), *other = right.as<std::int64_t>(); one && other)
        return whole_numbers(what, *one, *other);
    return no_such_type();
}

value time_from(operation what, const value& of)
{
    const auto* text = of.as<std::string>();
    if (!text)
        return no_such_type();
    if (what == operation::timestamp)
    {
        const auto time = parse_moment(*text);
        return time ? value(*time) : value(failure{"\"" + plain(*text) + "\" is no time"});
    }
    const auto duration = parse_duration(*text);
    return duration ? value(length_of_time{*duration})
                    : value(failure{"\"" + plain(*text) + "\" is no duration"});
}

}  // namespace portitor::schema::cel

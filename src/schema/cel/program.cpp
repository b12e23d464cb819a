#include "schema/cel/program.hpp"

#include "schema/cel/evaluate.hpp"
#include "schema/cel/types.hpp"

namespace portitor::schema::cel {

result<program> program::compile(std::string_view rule, const node& self)
{
    auto parsed = parse(rule);
    if (!parsed)
        return parsed.error();
    auto types = check_types(*parsed, self);
    if (!types)
        return types.error();
    return program(std::move(*parsed), types->compares_with_old);
}

result<bool> program::holds(const boost::json::value& value, const node& self) const
{
    const cel::value out = evaluate(rule_, value_of(value, &self));
    if (const bool* said = out.as<bool>())
        return *said;
    const failure* why = out.as<failure>();
    return fail(errc::invalid, "{}", why ? why->what : "the rule is neither true nor false");
}

}  // namespace portitor::schema::cel

#include "schema/cel/types.hpp"

#include "schema/shown.hpp"

#include <algorithm>
#include <utility>

namespace portitor::schema::cel {

static_type type_of(const node& schema)
{
    switch (schema.type)
    {
    case value_type::object:
        return {schema.additional ? kind::map : kind::object, &schema};
    case value_type::array:
        return {kind::list, &schema};
    case value_type::text:
        return {schema.date_time ? kind::moment : kind::text};
    case value_type::integer:
        return {kind::integer};
    case value_type::number:
        return {kind::number};
    case value_type::boolean:
        return {kind::boolean};
    case value_type::int_or_text:
    case value_type::any:
        break;
    }
    return {};
}

namespace {

bool fits(static_type given, std::initializer_list<kind> wanted)
{
    return given.what == kind::dynamic || std::find(wanted.begin(), wanted.end(), given.what) != wanted.end();
}

bool same(static_type left, static_type right)
{
    return left.what == right.what || left.what == kind::dynamic || right.what == kind::dynamic;
}

error wrong(const char* what)
{
    return fail(errc::invalid, "this rule uses {} with types that are not known for it", what);
}

class checker
{
public:
    explicit checker(const node& self) : self_(type_of(self)) {}

    bool compares_with_old() const { return compares_with_old_; }

    result<static_type> check(const expression& given)
    {
        switch (given.what)
        {
        case operation::literal:
            return static_type{literal_kind(given.literal)};
        case operation::variable:
            return variable(given.name);
        case operation::all:
        case operation::exists:
        case operation::exists_one:
            return comprehension(given);
        default:
            break;
        }
        std::vector<static_type> of;
        for (const expression& each : given.children)
        {
            auto checked = check(each);
            if (!checked)
                return checked;
            of.push_back(*checked);
        }
        return check(given, of);
    }

private:
    static kind literal_kind(const literal_value& literal)
    {
        constexpr kind kinds[] = {kind::null, kind::boolean, kind::integer, kind::number, kind::text};
        return kinds[literal.index()];
    }

    result<static_type> variable(const std::string& name)
    {
        // The innermost one of a name.
        for (auto each = bound_.rbegin(); each != bound_.rend(); ++each)
            if (each->first == name)
                return each->second;
        compares_with_old_ = compares_with_old_ || name == "oldSelf";
        if (name == "self" || name == "oldSelf")
            return self_;
        return fail(errc::invalid, "this rule uses {}, which is not known", plain(name));
    }

    static static_type item_of(static_type list)
    {
        if (list.what == kind::list && list.of)
            return list.of->items ? type_of(*list.of->items) : static_type{};
        return {list.items};
    }

    result<static_type> comprehension(const expression& given)
    {
        auto over = check(given.children[0]);
        if (!over)
            return over;
        if (!fits(*over, {kind::list, kind::map}))
            return wrong("all(), exists() or exists_one()");
        bound_.emplace_back(given.name, over->what == kind::map ? static_type{kind::text} : item_of(*over));
        auto condition = check(given.children[1]);
        bound_.pop_back();
        if (condition && !fits(*condition, {kind::boolean}))
            return wrong("all(), exists() or exists_one()");
        return condition;
    }

    result<static_type> check(const expression& given, const std::vector<static_type>& of)
    {
        switch (given.what)
        {
        case operation::list:
            return list(of);
        case operation::member:
        case operation::has:
            return member(given, of[0]);
        case operation::index:
            return index(of[0], of[1]);
        case operation::conditional:
            if (!fits(of[0], {kind::boolean}) || !same(of[1], of[2]))
                return wrong("? :");
            return of[1].what == kind::dynamic ? of[2] : of[1];
        default:
            return given.children.size() == 1 ? unary(given.what, of[0]) : binary(given.what, of[0], of[1]);
        }
    }

    static result<static_type> list(const std::vector<static_type>& of)
    {
        for (const static_type each : of)
            if (!same(each, of[0]) || fits(each, {kind::list, kind::map, kind::object}))
                return wrong("a list");
        return static_type{kind::list, nullptr, of.empty() ? kind::dynamic : of[0].what};
    }

    static result<static_type> member(const expression& given, static_type of)
    {
        const bool asked = given.what == operation::has;
        static_type out;
        if (of.what == kind::object || of.what == kind::map)
        {
            const node* found = of.of->member(given.name);
            if (!found && !(of.of->keeps_unknown && of.of->properties.empty()))
                return fail(
                    errc::invalid, "this rule uses the field {}, which is not known", plain(given.name)
                );
            out = found ? type_of(*found) : static_type{};
        }
        else if (of.what != kind::dynamic)
            return wrong(".");
        return asked ? static_type{kind::boolean} : out;
    }

    static result<static_type> index(static_type of, static_type key)
    {
        if (of.what == kind::list && fits(key, {kind::integer}))
            return item_of(of);
        if (of.what == kind::map && fits(key, {kind::text}))
            return type_of(*of.of->additional);
        return wrong("[ ]");
    }

    static result<static_type> unary(operation what, static_type of)
    {
        switch (what)
        {
        case operation::logical_not:
            return fits(of, {kind::boolean}) ? result<static_type>(static_type{kind::boolean}) : wrong("!");
        case operation::negative:
            return fits(of, {kind::integer, kind::number}) ? result<static_type>(of) : wrong("-");
        case operation::size:
            return fits(of, {kind::text, kind::list, kind::map})
                       ? result<static_type>(static_type{kind::integer})
                       : wrong("size()");
        case operation::timestamp:
            return fits(of, {kind::text}) ? result<static_type>(static_type{kind::moment})
                                          : wrong("timestamp()");
        default:
            return fits(of, {kind::text}) ? result<static_type>(static_type{kind::duration})
                                          : wrong("duration()");
        }
    }

    static result<static_type> binary(operation what, static_type left, static_type right)
    {
        const static_type yes_or_no{kind::boolean};
        switch (what)
        {
        case operation::logical_and:
        case operation::logical_or:
            return fits(left, {kind::boolean}) && fits(right, {kind::boolean})
                       ? result<static_type>(yes_or_no)
                       : wrong("&& or ||");
        case operation::equal:
        case operation::not_equal:
            return same(left, right) && is_single(left) && is_single(right) ? result<static_type>(yes_or_no)
                                                                            : wrong("== or !=");
        case operation::in:
            return in(left, right) ? result<static_type>(yes_or_no) : wrong("in");
        case operation::contains:
        case operation::starts_with:
        case operation::ends_with:
        case operation::matches:
            return fits(left, {kind::text}) && fits(right, {kind::text}) ? result<static_type>(yes_or_no)
                                                                         : wrong("a text's function");
        case operation::less:
        case operation::less_equal:
        case operation::greater:
        case operation::greater_equal:
            return same(left, right) && is_single(left) && is_single(right) && left.what != kind::null
                       ? result<static_type>(yes_or_no)
                       : wrong("< or >");
        default:
            return arithmetic(what, left, right);
        }
    }

    static bool is_single(static_type of) { return of.what < kind::list; }

    static bool in(static_type item, static_type of)
    {
        if (of.what == kind::map)
            return fits(item, {kind::text});
        return of.what == kind::list && is_single(item) && is_single(item_of(of)) && same(item, item_of(of));
    }

    static result<static_type> arithmetic(operation what, static_type left, static_type right)
    {
        const bool texts = what == operation::add && left.what == kind::text;
        const bool wholes = left.what == kind::integer;
        if (left.what != right.what || !(texts || wholes))
            return wrong("arithmetic");
        return left;
    }

    static_type self_;
    std::vector<std::pair<std::string, static_type>> bound_;
    bool compares_with_old_ = false;
};

}  // namespace

result<rule_types> check_types(const expression& rule, const node& self)
{
    checker work(self);
    auto whole = work.check(rule);
    if (!whole)
        return whole.error();
    if (!fits(*whole, {kind::boolean}))
        return fail(errc::invalid, "this rule is neither true nor false");
    return rule_types{*whole, work.compares_with_old()};
}

}  // namespace portitor::schema::cel

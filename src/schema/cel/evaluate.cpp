#include "schema/cel/evaluate.hpp"

#include "schema/cel/operators.hpp"
#include "schema/shown.hpp"

#include <algorithm>
#include <utility>

namespace portitor::schema::cel {

namespace {

/// The items of a list, the keys of a map.
std::vector<value> items_of(const value& of)
{
    std::vector<value> out;
    if (const auto* list = of.as<inner_list>())
        for (const boost::json::value& each : *list->items)
            out.push_back(value_of(each, list->of ? list->of->items.get() : nullptr));
    else if (const auto* written = of.as<std::shared_ptr<const std::vector<value>>>())
        out = **written;
    else if (const auto* map = of.as<inner_object>())
        for (const auto& each : *map->members)
            out.emplace_back(std::string(each.key()));
    return out;
}

value size_of(const value& of)
{
    if (const auto* text = of.as<std::string>())
        return static_cast<std::int64_t>(code_points(*text));
    if (of.as<inner_list>() || of.as<inner_object>() || of.as<std::shared_ptr<const std::vector<value>>>())
        return static_cast<std::int64_t>(items_of(of).size());
    return no_such_type();
}

value member_of(const value& of, const std::string& name)
{
    const auto* object = of.as<inner_object>();
    if (!object)
        return no_such_type();
    if (const auto* found = object->members->if_contains(name))
        return value_of(*found, object->of ? object->of->member(name) : nullptr);
    return failure{"no such key: " + plain(name)};
}

value item_at(const value& of, const value& key)
{
    if (const auto* name = key.as<std::string>())
        return member_of(of, *name);
    const auto* at = key.as<std::int64_t>();
    std::vector<value> items = items_of(of);
    if (!at || of.as<inner_object>())
        return no_such_type();
    if (*at < 0 || static_cast<std::size_t>(*at) >= items.size())
        return failure{"index out of bounds"};
    return std::move(items[static_cast<std::size_t>(*at)]);
}

class evaluator
{
public:
    explicit evaluator(value self) { bound_.emplace_back("self", std::move(self)); }

    value of(const expression& given)
    {
        switch (given.what)
        {
        case operation::literal:
            return value_of(given.literal);
        case operation::variable:
            return variable(given.name);
        case operation::logical_and:
        case operation::logical_or:
            return either(given);
        case operation::conditional:
            return conditional(given);
        case operation::all:
        case operation::exists:
        case operation::exists_one:
            return comprehension(given);
        default:
            break;
        }
        std::vector<value> children;
        for (const expression& each : given.children)
        {
            children.push_back(of(each));
            if (children.back().failed())
                return children.back();
        }
        return apply(given, std::move(children));
    }

private:
    value variable(const std::string& name) const
    {
        for (auto each = bound_.rbegin(); each != bound_.rend(); ++each)
            if (each->first == name)
                return each->second;
        return failure{"no such variable"};
    }

    // One side is enough where it decides.
    value either(const expression& given)
    {
        const bool decides = given.what == operation::logical_or;
        value left = of(given.children[0]);
        if (const bool* said = left.as<bool>(); said && *said == decides)
            return decides;
        value right = of(given.children[1]);
        if (const bool* said = right.as<bool>(); said && *said == decides)
            return decides;
        if (!left.as<bool>())
            return left.failed() ? left : no_such_type();
        if (!right.as<bool>())
            return right.failed() ? right : no_such_type();
        return !decides;
    }

    value conditional(const expression& given)
    {
        value condition = of(given.children[0]);
        if (const bool* said = condition.as<bool>())
            return of(given.children[*said ? 1 : 2]);
        return condition.failed() ? condition : no_such_type();
    }

    value comprehension(const expression& given)
    {
        const value over = of(given.children[0]);
        if (over.failed())
            return over;
        std::size_t yes = 0, no = 0;
        value failed;
        for (value& each : items_of(over))
        {
            bound_.emplace_back(given.name, std::move(each));
            value said = of(given.children[1]);
            bound_.pop_back();
            if (const bool* holds = said.as<bool>())
                ++(*holds ? yes : no);
            else
                failed = said.failed() ? std::move(said) : no_such_type();
        }
        if (given.what == operation::all && no > 0)
            return false;
        if (given.what == operation::exists && yes > 0)
            return true;
        if (failed.failed())
            return failed;
        return given.what == operation::all || (given.what == operation::exists_one && yes == 1);
    }

    static value apply(const expression& given, std::vector<value> of)
    {
        switch (given.what)
        {
        case operation::list:
            return std::make_shared<const std::vector<value>>(std::move(of));
        case operation::member:
            return member_of(of[0], given.name);
        case operation::has: {
            const auto* object = of[0].as<inner_object>();
            return object ? value(object->members->contains(given.name)) : no_such_type();
        }
        case operation::index:
            return item_at(of[0], of[1]);
        case operation::in:
            return in(of[0], of[1]);
        case operation::size:
            return size_of(of[0]);
        case operation::timestamp:
        case operation::duration:
            return time_from(given.what, of[0]);
        case operation::logical_not:
            return of[0].as<bool>() ? value(!*of[0].as<bool>()) : no_such_type();
        case operation::negative:
            if (const double* number = of[0].as<double>())
                return -*number;
            return arithmetic(operation::subtract, value(std::int64_t(0)), of[0]);
        case operation::contains:
        case operation::starts_with:
        case operation::ends_with:
        case operation::matches:
            return about_texts(given, of[0], of[1]);
        case operation::add:
        case operation::subtract:
        case operation::multiply:
        case operation::divide:
        case operation::remainder:
            return arithmetic(given.what, of[0], of[1]);
        default:
            return ordered(given.what, of[0], of[1]);
        }
    }

    static value in(const value& item, const value& of)
    {
        const std::vector<value> items = items_of(of);
        return std::any_of(items.begin(), items.end(), [&](const value& each) {
            return std::is_eq(compare(item, each));
        });
    }

    std::vector<std::pair<std::string, value>> bound_;
};

}  // namespace

value evaluate(const expression& rule, value self)
{
    return evaluator(std::move(self)).of(rule);
}

}  // namespace portitor::schema::cel

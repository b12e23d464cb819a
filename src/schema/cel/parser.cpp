#include "schema/cel/expression.hpp"
#include "schema/cel/token.hpp"
#include "schema/cel/vocabulary.hpp"
#include "schema/pattern.hpp"
#include "schema/shown.hpp"

#include <optional>

namespace portitor::schema::cel {

namespace {

constexpr int deepest = 64;

class parser
{
public:
    explicit parser(std::vector<token> tokens) : tokens_(std::move(tokens)) {}

    result<expression> whole()
    {
        auto out = conditional();
        if (out && here().type != token_type::end)
            return unexpected();
        return out;
    }

private:
    const token& here() const { return tokens_[at_]; }

    bool is(std::string_view symbol) const
    {
        return here().type == (symbol == "in" ? token_type::name : token_type::symbol) &&
               here().text == symbol;
    }

    bool take(std::string_view symbol)
    {
        if (!is(symbol))
            return false;
        ++at_;
        return true;
    }

    error unexpected() const
    {
        if (here().type == token_type::end)
            return fail(errc::invalid, "this rule ends too early");
        return fail(errc::invalid, "this rule uses \"{}\" where it is not known", plain(here().text, 32));
    }

    static error unknown(std::string_view what)
    {
        return fail(errc::invalid, "this rule uses {}, which is not known", plain(what, 32));
    }

    result<expression> conditional()
    {
        if (++depth_ > deepest)
            return fail(errc::invalid, "this rule is nested too deeply");
        auto out = binary(0);
        if (out && take("?"))
        {
            auto yes = binary(0);
            if (!yes)
                return yes;
            if (!take(":"))
                return unexpected();
            auto no = conditional();
            if (!no)
                return no;
            out = join(operation::conditional, {std::move(*out), std::move(*yes), std::move(*no)});
        }
        --depth_;
        return out;
    }

    static expression join(operation what, std::vector<expression> children)
    {
        return {.what = what, .children = std::move(children)};
    }

    std::optional<operation> take_operator(std::size_t level)
    {
        for (const binary_operator& each : operators_of(level))
            if (take(each.symbol))
                return each.what;
        return std::nullopt;
    }

    result<expression> binary(std::size_t level)
    {
        if (level == operator_levels)
            return unary();
        auto left = binary(level + 1);
        while (left)
        {
            const auto what = take_operator(level);
            if (!what)
                break;
            auto right = binary(level + 1);
            if (!right)
                return right;
            left = join(*what, {std::move(*left), std::move(*right)});
        }
        return left;
    }

    result<expression> unary()
    {
        const bool inverted = is("!");
        if (!inverted && !is("-"))
            return postfix();
        if (++depth_ > deepest)
            return fail(errc::invalid, "this rule is nested too deeply");
        ++at_;
        auto of = unary();
        --depth_;
        if (!of)
            return of;
        return join(inverted ? operation::logical_not : operation::negative, {std::move(*of)});
    }

    result<expression> postfix()
    {
        auto out = primary();
        while (out)
        {
            if (take("."))
                out = member(std::move(*out));
            else if (take("["))
            {
                auto key = conditional();
                if (!key)
                    return key;
                if (!take("]"))
                    return unexpected();
                out = join(operation::index, {std::move(*out), std::move(*key)});
            }
            else
                break;
        }
        return out;
    }

    result<expression> member(expression of)
    {
        if (here().type != token_type::name)
            return unexpected();
        const std::string name = tokens_[at_++].text;
        if (!take("("))
            return expression{
                .what = operation::member, .name = unescaped(name), .children = {std::move(of)}};
        if (const auto macro = find_macro(name))
            return comprehension(*macro, std::move(of));
        const auto method = find_method(name);
        if (!method)
            return unknown("." + name + "()");
        std::vector<expression> children;
        children.push_back(std::move(of));
        return call(name, *method, std::move(children));
    }

    result<expression> comprehension(operation what, expression over)
    {
        if (here().type != token_type::name)
            return unexpected();
        const std::string variable = tokens_[at_++].text;
        if (!take(","))
            return unexpected();
        auto condition = conditional();
        if (!condition)
            return condition;
        if (!take(")"))
            return unexpected();
        return expression{
            .what = what, .name = variable, .children = {std::move(over), std::move(*condition)}};
    }

    // Behind the opening bracket.
    result<expression> call(const std::string& name, known_function which, std::vector<expression> children)
    {
        auto given = until(")");
        if (!given)
            return given.error();
        for (expression& each : *given)
            children.push_back(std::move(each));
        if (children.size() != which.children)
            return fail(
                errc::invalid, "this rule calls {}() with another number of arguments than is known", name
            );
        expression out = join(which.what, std::move(children));
        return which.what == operation::matches ? with_pattern(std::move(out)) : std::move(out);
    }

    static result<expression> with_pattern(expression call)
    {
        const auto* text = std::get_if<std::string>(&call.children[1].literal);
        if (call.children[1].what != operation::literal || !text)
            return unknown("matches() with a pattern that is no literal");
        call.pattern = make_pattern(*text);
        if (!call.pattern->ok())
            return fail(
                errc::invalid, "this rule uses the pattern {}: {}", plain(*text), call.pattern->error()
            );
        return call;
    }

    result<std::vector<expression>> until(std::string_view closing)
    {
        std::vector<expression> out;
        while (!take(closing))
        {
            if (!out.empty() && !take(","))
                return unexpected();
            auto each = conditional();
            if (!each)
                return each.error();
            out.push_back(std::move(*each));
        }
        return out;
    }

    result<expression> primary()
    {
        if (take("("))
        {
            auto out = conditional();
            if (out && !take(")"))
                return unexpected();
            return out;
        }
        if (take("["))
        {
            auto items = until("]");
            if (!items)
                return items.error();
            return join(operation::list, std::move(*items));
        }
        if (here().type == token_type::name)
            return named();
        return literal();
    }

    result<expression> named()
    {
        const std::string name = tokens_[at_++].text;
        if (name == "true" || name == "false")
            return expression{.literal = name == "true"};
        if (name == "null")
            return expression{};
        if (!take("("))
            return expression{.what = operation::variable, .name = name};
        if (name == "has")
            return presence();
        const auto function = find_function(name);
        if (!function)
            return unknown(name + "()");
        return call(name, *function, {});
    }

    result<expression> presence()
    {
        auto of = conditional();
        if (!of)
            return of;
        if (!take(")") || of->what != operation::member)
            return unexpected();
        of->what = operation::has;
        return of;
    }

    result<expression> literal()
    {
        auto value = literal_of(here());
        if (!value)
            return unexpected();
        ++at_;
        return expression{.literal = std::move(*value)};
    }

    std::vector<token> tokens_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace

result<expression> parse(std::string_view rule)
{
    auto tokens = tokens_of(rule);
    if (!tokens)
        return tokens.error();
    return parser(std::move(*tokens)).whole();
}

}  // namespace portitor::schema::cel

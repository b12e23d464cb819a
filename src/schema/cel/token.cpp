#include "schema/cel/token.hpp"

#include "schema/shown.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace portitor::schema::cel {

namespace {

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

constexpr std::array<std::string_view, 22> symbols{"&&", "||", "==", "!=", "<=", ">=", "<", ">",
                                                   "!",  "?",  ":",  "(",  ")",  "[",  "]", ".",
                                                   ",",  "+",  "-",  "*",  "/",  "%"};

class lexer
{
public:
    explicit lexer(std::string_view rule) : rest_(rule) {}

    result<std::vector<token>> read()
    {
        std::vector<token> out;
        for (skip_space(); !rest_.empty(); skip_space())
        {
            auto next = read_one();
            if (!next)
                return next.error();
            out.push_back(std::move(*next));
        }
        out.emplace_back();
        return out;
    }

private:
    void skip_space() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n\f"), rest_.size())); }

    template <typename Belongs>
    std::string take_while(Belongs belongs)
    {
        const auto end = std::find_if_not(rest_.begin(), rest_.end(), belongs);
        std::string out(rest_.begin(), end);
        rest_.remove_prefix(out.size());
        return out;
    }

    result<token> read_one()
    {
        const char first = rest_.front();
        const bool raw =
            (first == 'r' || first == 'R') && rest_.size() > 1 && (rest_[1] == '\'' || rest_[1] == '"');
        if (raw || first == '\'' || first == '"')
        {
            rest_.remove_prefix(raw ? 1 : 0);
            return read_text(raw);
        }
        if (is_letter(first))
        {
            token out{token_type::name, take_while([](char c) { return is_letter(c) || is_digit(c); })};
            if (rest_.starts_with('\'') || rest_.starts_with('"'))
                return fail(
                    errc::invalid,
                    "this rule uses a literal that begins with {}, which is not known",
                    out.text
                );
            return out;
        }
        if (is_digit(first))
            return read_number();
        for (const std::string_view each : symbols)
            if (rest_.starts_with(each))
            {
                rest_.remove_prefix(each.size());
                if (each == "/" && rest_.starts_with('/'))
                    break;
                return token{token_type::symbol, std::string(each)};
            }
        return fail(errc::invalid, "this rule uses \"{}\", which is not known", plain(rest_, 8));
    }

    result<token> read_number()
    {
        token out{token_type::integer, take_while(is_digit)};
        if (rest_.size() > 1 && rest_.front() == '.' && is_digit(rest_[1]))
        {
            rest_.remove_prefix(1);
            out = {token_type::number, out.text + '.' + take_while(is_digit)};
        }
        if (!rest_.empty() && is_letter(rest_.front()))
            return fail(
                errc::invalid, "this rule uses the number {}{}, which is not known", out.text, rest_.front()
            );
        return out;
    }

    result<token> read_text(bool raw)
    {
        const char quote = rest_.front();
        rest_.remove_prefix(1);
        token out{token_type::text, {}};
        while (!rest_.empty() && rest_.front() != quote)
        {
            const char next = rest_.front();
            rest_.remove_prefix(1);
            if (next != '\\' || raw)
                out.text += next;
            else if (!read_escape(out.text))
                return fail(
                    errc::invalid,
                    "this rule uses an escape that is not known, before \"{}\"",
                    plain(rest_, 8)
                );
        }
        if (rest_.empty())
            return fail(errc::invalid, "this rule has a text without an end");
        rest_.remove_prefix(1);
        if (out.text.empty() && rest_.starts_with(quote))
            return fail(errc::invalid, "this rule uses a text in three quotes, which is not known");
        return out;
    }

    // Behind the backslash.
    bool read_escape(std::string& into)
    {
        constexpr std::string_view names = "abfnrtv\\'\"`?";
        constexpr std::string_view meanings = "\a\b\f\n\r\t\v\\'\"`?";
        const auto which = rest_.empty() ? names.npos : names.find(rest_.front());
        if (which != names.npos)
        {
            into += meanings[which];
            rest_.remove_prefix(1);
            return true;
        }
        unsigned code = 0;
        if (!rest_.starts_with('x') || rest_.size() < 3)
            return false;
        const auto read = std::from_chars(rest_.data() + 1, rest_.data() + 3, code, 16);
        if (read.ec != std::errc() || read.ptr != rest_.data() + 3 || code > 0x7f)
            return false;
        into += static_cast<char>(code);
        rest_.remove_prefix(3);
        return true;
    }

    std::string_view rest_;
};

}  // namespace

result<std::vector<token>> tokens_of(std::string_view rule)
{
    return lexer(rule).read();
}

}  // namespace portitor::schema::cel

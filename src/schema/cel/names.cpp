#include "schema/cel/expression.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace portitor::schema::cel {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> escapes{{
    {"__underscores__", "__"},
    {"__dot__", "."},
    {"__dash__", "-"},
    {"__slash__", "/"},
}};

constexpr std::array<std::string_view, 21> reserved{"true",  "false", "null",   "in",  "as",        "break",  "const",
                                                    "continue", "else",  "for", "function", "if", "import", "let",
                                                    "loop", "package", "namespace", "return", "var", "void", "while"};

}  // namespace

std::string unescaped(std::string_view name)
{
    for (const std::string_view word : reserved)
        if (name.size() == word.size() + 4 && name.starts_with("__") && name.ends_with("__") &&
            name.substr(2, word.size()) == word)
            return std::string(word);
    std::string out;
    while (!name.empty())
    {
        const auto* found = std::find_if(
            escapes.begin(), escapes.end(), [name](const auto& each) { return name.starts_with(each.first); }
        );
        if (found == escapes.end())
            out += name.front();
        else
            out += found->second;
        name.remove_prefix(found == escapes.end() ? 1 : found->first.size());
    }
    return out;
}

}  // namespace portitor::schema::cel

#include "cli/reference/shells.hpp"

#include <portitor/config/help.hpp>

namespace portitor::cli {

namespace {

constexpr const char* start = "#compdef portitor kubectl-portitor\n"
                              "# Completion of portitor for zsh, made by: portitor completion zsh\n";

// It is loaded by the first completion, or by hand.
constexpr const char* end = "\nif [ \"$funcstack[1]\" = _portitor ]; then\n"
                            "    _portitor \"$@\"\n"
                            "else\n"
                            "    compdef _portitor portitor kubectl-portitor\n"
                            "fi\n";

/// Within '[...]' of a specification, which stands in single quotes.
std::string escaped(const std::string& text)
{
    std::string out;
    for (const char c : text)
    {
        if (c == '\'')
            out += "'\\''";
        else if (c == '[' || c == ']' || c == ':' || c == '\\')
            out += fmt::format("\\{}", c);
        else
            out += c;
    }
    return out;
}

std::string function_of(const std::string& words)
{
    std::string out = "_portitor";
    for (const char c : words.empty() ? "" : ' ' + words)
        out += c == ' ' || c == '-' ? '_' : c;
    return out;
}

std::string value_of(const config::option& what)
{
    if (what.is_switch)
        return {};
    const std::string name = escaped(config::placeholder_of(what));
    if (!what.values.empty())
        return fmt::format(":value:({})", fmt::join(what.values, " "));
    return fmt::format(":{}:{}", name, config::takes_file(what) ? "_files" : "");
}

/// The flags of a place.
std::string flag_specifications(const declared& where)
{
    std::string out = "        '(-h --help)'{-h,--help}'[shows help]'";
    const std::vector<flag> flags = flags_of(where);
    for (const flag& each : flags)
    {
        std::string others;
        for (const flag& other : flags)
        {
            if (other.what == each.what)
                others += (others.empty() ? "" : " ") + other.text;
        }
        // After a long one "=" may stand, and a list may come again.
        const std::string sign = each.what->is_switch ? "" : each.text.starts_with("--") ? "=" : "+";
        const std::string before = each.what->is_list ? "*" : '(' + others + ')';
        out += fmt::format(
            " \\\n        '{}{}{}[{}]{}'",
            before,
            each.text,
            sign,
            escaped(each.what->help),
            value_of(*each.what)
        );
    }
    return out;
}

std::string word_specifications(const declared& where)
{
    std::string out;
    for (const config::word& each : where.settings->words())
    {
        const std::string values =
            each.values.empty() ? " " : fmt::format("({})", fmt::join(each.values, " "));
        const std::string place = each.is_variable ? "*" : each.is_required ? "" : ":";
        out += fmt::format(" \\\n        '{}:{}:{}'", place, escaped(each.name), values);
    }
    return out;
}

/// A function that completes one command's options and words.
std::string leaf(const declared& where)
{
    return fmt::format(
        "\n{}() {{\n    _arguments -s \\\n{}\n}}\n",
        function_of(where.words),
        flag_specifications(where) + word_specifications(where)
    );
}

/// A function that completes the name of a subcommand, and hands over to it.
std::string node(const declared& where)
{
    std::string names;
    std::string cases;
    for (const auto& [name, summary] : where.subcommands)
    {
        names += fmt::format("        '{}:{}'\n", name, escaped(summary));
        const std::string words = where.words.empty() ? name : where.words + ' ' + name;
        cases += fmt::format("            {}) {} ;;\n", name, function_of(words));
    }
    return fmt::format(
        "\n{}() {{\n"
        "    local context state state_descr line curcontext=\"$curcontext\"\n"
        "    typeset -A opt_args\n"
        "    local -a names=(\n{}    )\n"
        "    _arguments -C -A '-*' \\\n{} \\\n"
        "        '1:command:->name' \\\n        '*::argument:->rest'\n"
        "    case $state in\n"
        "        name) _describe -t commands command names ;;\n"
        "        rest) case $words[1] in\n{}        esac ;;\n"
        "    esac\n}}\n",
        function_of(where.words),
        names,
        flag_specifications(where),
        cases
    );
}

}  // namespace

std::string zsh_completion(std::span<const declared> all)
{
    std::string out = start;
    for (const declared& each : all)
        out += each.subcommands.empty() ? leaf(each) : node(each);
    return out + end;
}

}  // namespace portitor::cli

#include "cli/reference/shells.hpp"

#include <portitor/config/help.hpp>

namespace portitor::cli {

namespace {

// $path is the command so far; flags come from the function of that command.
constexpr const char* frame = R"(
_portitor() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} path= flags= words= i
    # Bash takes --color=auto for three words.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]]; then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        if [[ ${COMP_WORDS[i]} == -?* ]]; then
            if [[ ${COMP_WORDS[i+1]} == = ]]; then
                ((i += 2))
            elif _portitor_takes_value "${COMP_WORDS[i]}"; then
                ((i += 1))
            fi
            continue
        fi
        _portitor_is_command "${path:+$path }${COMP_WORDS[i]}" || break
        path=${path:+$path }${COMP_WORDS[i]}
    done
    _portitor_values "$path" "$prev" && return
    _portitor_words "$path"
    if [[ $cur == -* ]]; then
        words=$flags
    fi
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
}

complete -F _portitor portitor kubectl-portitor
)";

std::string joined(const std::vector<std::string>& words)
{
    return fmt::format("{}", fmt::join(words, " "));
}

/// The case of one option's value: its words, files, or nothing.
std::string value_case(const std::string& patterns, const config::option& what)
{
    std::string does = ":";
    if (!what.values.empty())
        does = fmt::format("COMPREPLY=($(compgen -W \"{}\" -- \"$cur\"))", joined(what.values));
    else if (config::takes_file(what))
        does = "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$cur\"))";
    return fmt::format("        {}) {} ;;\n", patterns, does);
}

std::string value_cases(const declared& where)
{
    std::string out;
    const std::vector<flag> flags = flags_of(where);
    for (std::size_t i = 0; i < flags.size();)
    {
        const config::option& what = *flags[i].what;
        std::string patterns;
        for (; i < flags.size() && flags[i].what == &what; ++i)
            patterns += fmt::format("{}'{}:{}'", patterns.empty() ? "" : " | ", where.words, flags[i].text);
        if (!what.is_switch)
            out += value_case(patterns, what);
    }
    return out;
}

std::string word_case(const declared& where)
{
    std::vector<std::string> flags{"--help"};
    for (const flag& each : flags_of(where))
        flags.push_back(each.text);
    std::vector<std::string> words;
    for (const auto& [name, summary] : where.subcommands)
        words.push_back(name);
    if (where.settings)
    {
        for (const config::word& each : where.settings->words())
            words.insert(words.end(), each.values.begin(), each.values.end());
    }
    return fmt::format(
        "        '{}') flags='{}'; words='{}' ;;\n", where.words, joined(flags), joined(words)
    );
}

}  // namespace

std::string bash_completion(std::span<const declared> all)
{
    std::string commands;
    std::string values;
    std::string words;
    for (const declared& each : all)
    {
        if (!each.words.empty())
            commands += fmt::format("{}'{}'", commands.empty() ? "" : " | ", each.words);
        values += value_cases(each);
        words += word_case(each);
    }
    return fmt::format(
        "# Completion of portitor for bash, made by: portitor completion bash\n\n"
        "_portitor_is_command() {{\n    case $1 in\n        {}) return 0 ;;\n    esac\n    return 1\n}}\n\n"
        "_portitor_takes_value() {{\n    case $1 in\n        {}) return 0 ;;\n    esac\n    return 1\n}}\n\n"
        "# Completes the value of a flag; fails where the word before is none that takes one.\n"
        "_portitor_values() {{\n    case \"$1:$2\" in\n{}        *) return 1 ;;\n    esac\n}}\n\n"
        "_portitor_words() {{\n    case $1 in\n{}    esac\n}}\n{}",
        commands,
        fmt::join(flags_with_value(all), " | "),
        values,
        words,
        frame
    );
}

}  // namespace portitor::cli

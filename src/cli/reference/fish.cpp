#include "cli/reference/shells.hpp"

#include <portitor/config/help.hpp>

namespace portitor::cli {

namespace {

// Says whether the command so far is $argv[1].
constexpr const char* start = R"(# Completion of portitor for fish, made by: portitor completion fish

function __portitor_at
    set -l path
    set -l is_value no
    for word in (commandline -opc)[2..-1]
        if test $is_value = yes
            set is_value no
            continue
        end
        if string match -q -- '-?*' $word
            contains -- $word $__portitor_flags_with_value; and set is_value yes
            continue
        end
        set -l longer (string join -- ' ' $path $word)
        contains -- $longer $__portitor_commands; or break
        set path $longer
    end
    test "$path" = "$argv[1]"
end

)";

std::string in_quotes(std::string_view text)
{
    std::string out = "'";
    for (const char c : text)
    {
        if (c == '\'' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + '\'';
}

std::string of_option(const std::string& at, const config::option& what)
{
    std::string out = at;
    if (what.letter != 0)
        out += fmt::format(" -s {}", what.letter);
    out += " -l " + what.name;
    for (const std::string& alias : what.aliases)
        out += " -l " + alias;
    if (!what.is_switch)
        out += config::takes_file(what) ? " -r -F" : " -x";
    if (!what.values.empty())
        out += " -a " + in_quotes(fmt::format("{}", fmt::join(what.values, " ")));
    return out + " -d " + in_quotes(what.help) + '\n';
}

std::string of_place(const declared& where, const std::string& program)
{
    const std::string at =
        fmt::format("complete -c {} -n {}", program, in_quotes("__portitor_at " + in_quotes(where.words)));
    std::string out = at + " -s h -l help -d 'shows help'\n";
    for (const auto& [name, summary] : where.subcommands)
        out += fmt::format("{} -a {} -d {}\n", at, name, in_quotes(summary));
    if (!where.settings)
        return out;
    for (const config::known_option& each : where.settings->options())
    {
        if (!each.hidden)
            out += of_option(at, each.what);
    }
    for (const config::word& each : where.settings->words())
    {
        if (!each.values.empty())
            out += fmt::format("{} -a {}\n", at, in_quotes(fmt::format("{}", fmt::join(each.values, " "))));
    }
    return out;
}

}  // namespace

std::string fish_completion(std::span<const declared> all)
{
    std::string out = start;
    out += "set -g __portitor_commands";
    for (const declared& each : all)
    {
        if (!each.words.empty())
            out += ' ' + in_quotes(each.words);
    }
    out += "\nset -g __portitor_flags_with_value";
    for (const std::string& each : flags_with_value(all))
        out += ' ' + in_quotes(each);
    out += '\n';
    for (const char* program : {"portitor", "kubectl-portitor"})
    {
        out += fmt::format("\ncomplete -c {} -f\n", program);
        for (const declared& each : all)
            out += of_place(each, program);
    }
    return out;
}

}  // namespace portitor::cli

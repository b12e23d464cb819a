#include <portitor/config/help.hpp>
#include <portitor/core/characters.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace portitor::config {

namespace {

constexpr std::size_t width = 100;
constexpr std::size_t indent = 30;

/// `left`, and `right` beside it in lines that fit.
std::string two_columns(const std::string& left, const std::string& right)
{
    std::string out = "  " + left;
    std::size_t column = count_characters(out);
    if (column + 2 > indent)
    {
        out += '\n';
        column = 0;
    }
    out.append(indent - column, ' ');
    column = indent;
    std::size_t at = 0;
    while (at < right.size())
    {
        const std::size_t end = std::min(right.find(' ', at), right.size());
        const std::string_view next = std::string_view(right).substr(at, end - at);
        if (column > indent && column + 1 + count_characters(next) > width)
        {
            out += '\n';
            out.append(indent, ' ');
            column = indent;
        }
        if (column > indent)
        {
            out += ' ';
            ++column;
        }
        out += next;
        column += count_characters(next);
        at = end + 1;
    }
    return out + '\n';
}

std::string flags_of(const option& what)
{
    std::string out = what.letter ? fmt::format("-{}, ", what.letter) : "    ";
    out += "--" + what.name;
    for (const std::string& alias : what.aliases)
        out += ", --" + alias;
    const std::string value = placeholder_of(what);
    return value.empty() ? out : out + ' ' + value;
}

using known_options = std::vector<const known_option*>;

/// These under their headings, and the headings in their order; what stands under none comes first.
std::string by_heading(const known_options& all)
{
    std::vector<std::string> headings{""};
    for (const known_option* each : all)
    {
        if (std::find(headings.begin(), headings.end(), each->what.heading) == headings.end())
            headings.push_back(each->what.heading);
    }
    std::string out;
    for (const std::string& heading : headings)
    {
        std::string lines;
        for (const known_option* each : all)
        {
            if (each->what.heading == heading)
                lines += two_columns(flags_of(each->what), help_of(each->what));
        }
        if (!lines.empty())
            out += fmt::format("\n{}:\n{}", heading.empty() ? "Options" : heading, lines);
    }
    return out;
}

/// "--allow-mainnet, --allow-http": what is asked for each time anew.
std::string consents(const loader& of)
{
    std::vector<std::string> out;
    for (const known_option& each : of.options())
    {
        if (each.what.is_typed_only && each.what.is_switch && is_listed(each))
            out.push_back("--" + each.what.name);
    }
    return fmt::format("{}", fmt::join(out, ", "));
}

/// The words that the command takes, a line for each.
std::string words_text(const loader& of)
{
    std::string out = of.words().empty() ? "" : "\n";
    for (const word& each : of.words())
        out += two_columns(each.name + (each.is_variable ? "..." : ""), each.help);
    return out;
}

/// "--config, --color, Gateway (--gateway, --public-url …)": those of a heading by the first two.
std::string in_words(const known_options& all)
{
    std::vector<std::string> out;
    std::string last;
    std::size_t count = 0;
    for (const known_option* each : all)
    {
        const std::string flag = "--" + each->what.name;
        const std::string& heading = each->what.heading;
        if (heading.empty())
            out.push_back(flag);
        else if (std::exchange(last, heading) != heading)
        {
            out.push_back(heading + " (" + flag + ")");
            count = 1;
        }
        else if (++count <= 3)
            out.back().insert(out.back().size() - 1, count == 2 ? ", " + flag : " …");
    }
    return fmt::format("{}", fmt::join(out, ", "));
}

std::string options_text(const loader& of, help_extent shown)
{
    known_options own;
    known_options shared;
    for (const known_option& each : of.options())
    {
        if (is_listed(each))
            (each.what.is_shared ? shared : own).push_back(&each);
    }
    std::string out = by_heading(own);
    out += "\nEverywhere:\n";
    out += two_columns("-h, --help", "shows this");
    out += two_columns("    --version", "shows the version and how it was built");
    if (shared.empty())
        return out;
    if (shown == help_extent::all)
        return out + by_heading(shared);
    return out + two_columns("    --help=all", "also shows what many have: " + in_words(shared));
}

}  // namespace

bool is_listed(const known_option& what)
{
    return !what.hidden && !what.what.help.empty();
}

std::string help_of(const option& what)
{
    std::string out = what.help;
    if (what.is_required)
        out += " (required)";
    if (what.is_list)
        out += " (may be given several times)";
    if (!what.fallback.empty() && !(what.is_switch && what.fallback == "false"))
        out += fmt::format(" (default {})", what.fallback);
    return out;
}

bool takes_file(const option& what)
{
    return what.placeholder == "FILE" ||
           (what.placeholder.empty() && (what.name.ends_with("file") || what.name == "kubeconfig"));
}

std::string placeholder_of(const option& what)
{
    if (what.is_switch)
        return {};
    if (!what.placeholder.empty())
        return what.placeholder;
    if (takes_file(what))
        return "FILE";
    return what.values.empty() ? "VALUE" : fmt::format("{}", fmt::join(what.values, "|"));
}

std::string usage_line(const loader& of)
{
    std::string out = of.about().program;
    for (const word& each : of.words())
    {
        const std::string name = each.name + (each.is_variable ? "..." : "");
        out += each.is_required ? ' ' + name : " [" + name + ']';
    }
    for (const known_option& each : of.options())
    {
        if (each.what.is_required && !each.hidden)
            out += fmt::format(" --{} {}", each.what.name, placeholder_of(each.what));
    }
    return out + " [options]";
}

std::string help_text(const loader& of, help_extent shown)
{
    const std::string& usage = of.about().usage;
    std::string out = fmt::format("{}\n\nUsage: ", of.about().summary);
    out += usage.empty() ? usage_line(of) + '\n' + words_text(of) : usage + '\n';
    out += options_text(of, shown);
    if (!of.about().examples.empty())
        out += "\nExamples:\n";
    for (const example& each : of.about().examples)
        out += fmt::format("  # {}\n  {}\n", each.what, each.command);
    if (!of.about().footer.empty())
        out += '\n' + of.about().footer + '\n';
    if (const std::string typed = consents(of); !typed.empty() && !of.about().footer.empty())
        out += fmt::format("Except {}: a consent counts only where it is typed.\n", typed);
    return out;
}

}  // namespace portitor::config

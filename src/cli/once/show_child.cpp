#include "cli/once/show_child.hpp"

#include "cli/yaml.hpp"

#include <algorithm>
#include <ostream>

namespace portitor::cli::once {

namespace {

constexpr std::size_t longest_line = 300;
constexpr std::size_t width = 100;
constexpr std::string_view inner = "      ";

struct sign
{
    const char* text;
    tone how;
};

sign sign_of(step what)
{
    switch (what)
    {
    case step::create:
    case step::later:
        return {"+", tone::good};
    case step::change:
    case step::release:
        return {"~", tone::warning};
    case step::remove:
        return {"-", tone::bad};
    case step::same:
        return {"=", tone::dim};
    }
    return {"", tone::plain};
}

tone tone_of(std::string_view line)
{
    return line.starts_with('+') ? tone::good : line.starts_with('-') ? tone::bad : tone::dim;
}

void show_whole(std::ostream& out, const child_report& of)
{
    const std::string text = to_yaml(of.wanted);
    for (std::size_t begin = 0; begin < text.size();)
    {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        out << inner << printable(text.substr(begin, end - begin), longest_line) << '\n';
        begin = end + 1;
    }
}

void show_disputes(std::ostream& out, const std::vector<dispute>& all)
{
    for (const dispute& each : all)
        out << inner
            << told(
                   fmt::format(
                       "{}: owned by {}; the controller would take it back",
                       each.field.starts_with('.') ? each.field.substr(1) : each.field,
                       each.manager
                   ),
                   inner.size()
               )
            << '\n';
}

}  // namespace

std::string told(std::string_view text, std::size_t indent)
{
    return wrap(printable(text), width, indent);
}

void show_diff(std::ostream& out, const std::vector<std::string>& lines, const palette& colours)
{
    for (const std::string& each : lines)
        out << inner << colours.paint(tone_of(each), printable(each, longest_line)) << '\n';
}

void show_child(std::ostream& out, const child_report& of, const palette& colours, bool all)
{
    if (of.what == step::same && !all)
        return;
    const sign mark = sign_of(of.what);
    const std::string what = fmt::format(
        "{} {} {} {}",
        mark.text,
        to_string(of.what),
        offer::type_of(of.kind).resource.kind,
        printable(of.key.to_string())
    );
    const char* why = of.edited                ? " (somebody else has changed or deleted it)"
                      : of.what == step::later ? " (as soon as it is sold)"
                                               : "";
    out << "  " << colours.paint(mark.how, what) << why << '\n';
    show_diff(out, of.diff, colours);
    if (all && (of.what == step::create || of.what == step::later))
        show_whole(out, of);
    show_disputes(out, of.disputes);
    if (!of.refused.empty())
        out << inner
            << colours.paint(tone::bad, told("the API server would refuse it: " + of.refused, inner.size()))
            << '\n';
}

}  // namespace portitor::cli::once

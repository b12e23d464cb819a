#include "cli/doctor/report.hpp"

#include "cli/output/text.hpp"
#include "cli/yaml.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace portitor::cli::doctor {

namespace json = boost::json;

namespace {

constexpr std::array verdicts{
    verdict::ok, verdict::info, verdict::warning, verdict::failure, verdict::not_checked};
constexpr std::size_t width = 110;
constexpr std::size_t hint_indent = 17;

tone tone_of(verdict how)
{
    switch (how)
    {
    case verdict::ok:
        return tone::good;
    case verdict::warning:
        return tone::warning;
    case verdict::failure:
        return tone::bad;
    case verdict::info:
    case verdict::not_checked:
        return tone::dim;
    }
    return tone::plain;
}

/// As the JSON has it.
std::string word_of(verdict how)
{
    return how == verdict::not_checked ? "notChecked" : to_string(how);
}

json::object summary_of(const report& what)
{
    json::object out;
    const auto counts = what.counts();
    for (const verdict each : verdicts)
        out[word_of(each)] = counts[static_cast<std::size_t>(each)];
    return out;
}

json::object to_json(const report& what)
{
    json::array findings;
    for (const finding& each : what.findings)
        findings.push_back(json::object{
            {"area", each.area},
            {"check", each.check},
            {"verdict", word_of(each.how)},
            {"words", each.words},
            {"advice", each.advice}});
    return {{"settings", what.settings}, {"findings", std::move(findings)}, {"summary", summary_of(what)}};
}

}  // namespace

std::array<std::size_t, verdict_count> report::counts() const
{
    std::array<std::size_t, verdict_count> out{};
    for (const finding& each : findings)
        ++out[static_cast<std::size_t>(each.how)];
    return out;
}

bool report::has_seen_any() const
{
    return std::any_of(findings.begin(), findings.end(), [](const finding& each) {
        return each.how != verdict::not_checked;
    });
}

void print_text(const report& what, std::ostream& out, const palette& colours)
{
    out << "Settings: " << what.settings << '\n';
    std::string area;
    for (const finding& each : what.findings)
    {
        if (each.area != area)
            out << '\n' << colours.paint(tone::heading, each.area) << '\n';
        area = each.area;
        const std::string mark = fmt::format("{:<13}", to_string(each.how));
        out << "  " << colours.paint(tone_of(each.how), mark) << "  "
            << wrap(each.check + ": " + each.words, width - hint_indent, hint_indent) << '\n';
        if (!each.advice.empty())
            out << std::string(hint_indent, ' ')
                << colours.paint(tone::dim, wrap("-> " + each.advice, width - hint_indent, hint_indent + 3))
                << '\n';
    }
    const auto counts = what.counts();
    out << '\n';
    const char* comma = "";
    for (const verdict each : verdicts)
    {
        const std::size_t count = counts[static_cast<std::size_t>(each)];
        const std::string words = fmt::format("{} {}", count, to_string(each));
        out << comma << (count > 0 ? colours.paint(tone_of(each), words) : words);
        comma = ", ";
    }
    out << '\n';
}

void print_json(const report& what, std::ostream& out)
{
    out << printable_json(json::serialize(to_json(what))) << '\n';
}

void print_yaml(const report& what, std::ostream& out)
{
    out << to_yaml(to_json(what));
}

}  // namespace portitor::cli::doctor

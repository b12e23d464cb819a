#include "cli/once/comparison.hpp"

#include <portitor/x402/words.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <ostream>

namespace portitor::cli::once {

namespace json = boost::json;

namespace {

struct mark
{
    const char* sign;
    const char* words;
    tone how;
};

mark mark_of(const compared_route& of)
{
    if (!of.here)
        return {"-", "only there", tone::bad};
    if (!of.there)
        return {"+", "only here", tone::good};
    return of.same() ? mark{"=", "same", tone::dim} : mark{"~", "differs", tone::warning};
}

std::string price_in_words(const charge& of, const x402::network_table& known)
{
    return of.free ? "free" : x402::amount_in_words(of.atomic, of.network, of.asset, known) + " a request";
}

std::string in_words(const charge& of, const x402::network_table& known)
{
    if (!of.wrong.empty())
        return of.wrong;
    if (of.free)
        return "free";
    std::string out = fmt::format(
        "{} ({} atomic units, {}), paid to {}",
        price_in_words(of, known),
        to_string(of.atomic),
        of.network,
        of.pay_to.empty() ? "nobody" : of.pay_to
    );
    if (!of.facilitator.empty())
        out += ", by " + of.facilitator;
    return out;
}

json::object document(const charge& of, const x402::network_table& known)
{
    json::object out{
        {"price", to_string(of.atomic)},
        {"words", of.wrong.empty() ? price_in_words(of, known) : of.wrong},
        {"free", of.free},
        {"payTo", of.pay_to},
        {"network", of.network},
        {"asset", of.asset},
        {"facilitator", of.facilitator},
        {"priceModel", of.model},
        {"offer", of.offer},
    };
    return out;
}

json::array texts(const std::vector<std::string>& all)
{
    json::array out;
    for (const std::string& each : all)
        out.emplace_back(each);
    return out;
}

std::string summary_of(const std::vector<compared_route>& all)
{
    const auto count = [&](char sign) {
        return std::count_if(all.begin(), all.end(), [&](const compared_route& each) {
            return *mark_of(each).sign == sign;
        });
    };
    return fmt::format(
        "Routes: {} the same, {} differ, {} only there, {} only here",
        count('='),
        count('~'),
        count('-'),
        count('+')
    );
}

}  // namespace

void show_comparison(
    std::ostream& out,
    const std::vector<compared_route>& all,
    const x402::network_table& known,
    const palette& colours
)
{
    for (const compared_route& each : all)
    {
        const mark shown = mark_of(each);
        out << colours.paint(shown.how, fmt::format("{} {}", shown.sign, printable(each.pattern))) << "  "
            << shown.words << '\n';
        if (each.there)
            out << "    there  " << printable(in_words(*each.there, known)) << '\n';
        if (each.here)
            out << "    here   " << printable(in_words(*each.here, known)) << '\n';
        for (const std::string& one : each.differences)
            out << "    " << colours.paint(tone::warning, printable(one)) << '\n';
        for (const std::string& one : each.remarks)
            out << "    " << colours.paint(tone::dim, wrap(printable(one), 100, 4)) << '\n';
    }
    out << summary_of(all) << '\n';
}

json::object comparison_document(const std::vector<compared_route>& all, const x402::network_table& known)
{
    json::array routes;
    for (const compared_route& each : all)
    {
        json::object one{{"pattern", each.pattern}, {"result", mark_of(each).words}};
        if (each.there)
            one["there"] = document(*each.there, known);
        if (each.here)
            one["here"] = document(*each.here, known);
        one["differences"] = texts(each.differences);
        one["remarks"] = texts(each.remarks);
        routes.push_back(std::move(one));
    }
    json::object out;
    out["routes"] = std::move(routes);
    return out;
}

}  // namespace portitor::cli::once

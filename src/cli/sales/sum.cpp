#include "cli/sales/sum.hpp"

#include "cli/output/table.hpp"
#include "cli/sales/money.hpp"
#include "cli/sales/rows.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <cctype>
#include <ostream>
#include <stdexcept>

namespace portitor::cli::sales {

namespace json = boost::json;

namespace {

using sums = std::vector<ledger::sale_sum>;

json::object to_json(const ledger::sale_sum& what, const options& how)
{
    const known_asset asset = find_asset(how.networks.table, what.network, what.asset);
    json::object out;
    if (how.grouping().offer)
        out["offer"] = what.offer;
    if (how.grouping().day)
        out["day"] = what.day;
    if (how.grouping().payer)
        out["payer"] = what.payer;
    out["network"] = what.network;
    out["asset"] = what.asset;
    out["payments"] = what.settled;
    out["amount"] = portitor::to_string(what.amount);
    add_token(out, asset, what.amount);
    out["delivered"] = what.delivered;
    out["interrupted"] = what.interrupted;
    out["unproven"] = what.unproven;
    out["reorganised"] = what.reorganised;
    return out;
}

// Amounts of several tokens are no sum.
result<json::value> whole_amount(const sums& all)
try
{
    u256 out;
    const ledger::sale_sum* first = nullptr;
    for (const ledger::sale_sum& each : all)
    {
        if (each.settled == 0)
            continue;
        first = first == nullptr ? &each : first;
        const bool is_same =
            first->network == each.network &&
            std::ranges::equal(first->asset, each.asset, [](unsigned char a, unsigned char b) {
                return std::tolower(a) == std::tolower(b);
            });
        if (!is_same)
            return json::value();
        out += each.amount;
    }
    return json::value(portitor::to_string(out));
}
catch (const std::overflow_error&)
{
    return fail(errc::invalid, "the sum is more than 2^256-1 atomic units");
}

result<void> print_json(const sums& all, const options& how, std::ostream& out)
{
    const auto amount = whole_amount(all);
    if (!amount)
        return amount.error();
    std::size_t payments = 0;
    std::size_t delivered = 0;
    std::size_t interrupted = 0;
    std::size_t unproven = 0;
    std::size_t reorganised = 0;
    json::array totals;
    for (const ledger::sale_sum& each : all)
    {
        payments += each.settled;
        delivered += each.delivered;
        interrupted += each.interrupted;
        unproven += each.unproven;
        reorganised += each.reorganised;
        totals.push_back(to_json(each, how));
    }
    const json::object whole{
        {"payments", payments},
        {"amount", *amount},
        {"delivered", delivered},
        {"interrupted", interrupted},
        {"unproven", unproven},
        {"reorganised", reorganised},
        {"totals", std::move(totals)}};
    out << printable_json(json::serialize(whole)) << '\n';
    return {};
}

void print_csv(const sums& all, const options& how, std::ostream& out)
{
    out << csv_heading(to_json({}, how));
    for (const ledger::sale_sum& each : all)
        out << csv_row(to_json(each, how));
}

void print_table(const sums& all, const options& how, const console& terminal)
{
    const ledger::sale_grouping& by = how.grouping();
    std::vector<std::string> headings;
    if (by.offer)
        headings.emplace_back("OFFER");
    if (by.day)
        headings.emplace_back("DAY");
    if (by.payer)
        headings.emplace_back("PAYER");
    for (const char* each :
         {"NETWORK", "PAYMENTS", "AMOUNT", "NOT DELIVERED", "INTERRUPTED", "UNPROVEN", "REORGANISED"})
        headings.emplace_back(each);
    table shown(headings);
    for (const ledger::sale_sum& each : all)
    {
        const known_asset asset = find_asset(how.networks.table, each.network, each.asset);
        std::vector<table::cell> row;
        if (by.offer)
            row.emplace_back(each.offer);
        if (by.day)
            row.emplace_back(each.day);
        if (by.payer)
            row.emplace_back(each.payer);
        const auto count = [&](std::size_t number, tone how_bad) {
            row.emplace_back(std::to_string(number), number == 0 ? tone::plain : how_bad);
        };
        row.emplace_back(asset.network);
        count(each.settled, tone::plain);
        row.emplace_back(asset.amount(each.amount));
        count(each.settled - each.delivered, tone::warning);
        count(each.interrupted, tone::warning);
        count(each.unproven, tone::warning);
        count(each.reorganised, tone::bad);
        shown.add(std::move(row));
    }
    shown.print(terminal.out, palette(terminal.colour));
}

}  // namespace

result<void>
print_sums(ledger::book& from, const ledger::sale_filter& which, const options& how, const console& terminal)
{
    const auto all = from.sum(which, how.grouping());
    if (!all)
        return all.error();
    if (how.output == "json")
        return print_json(*all, how, terminal.out);
    if (how.output == "csv")
        print_csv(*all, how, terminal.out);
    else if (all->empty())
        terminal.err << "no such payment was settled\n";
    else
        print_table(*all, how, terminal);
    return {};
}

}  // namespace portitor::cli::sales

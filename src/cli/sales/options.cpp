#include "cli/sales/options.hpp"

#include "cli/options/shared.hpp"
#include "cli/sales/standing.hpp"

#include <portitor/config/setters.hpp>

#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

namespace portitor::cli::sales {

namespace {

constexpr std::uint32_t longest_list = 1'000'000;
constexpr std::uint32_t longest_table = 10'000;  // which is held in memory, and read by people

config::option text_option(std::string name, std::string help, std::string& into, std::string placeholder)
{
    config::option out{std::move(name), std::move(help), "", config::set_text(into)};
    out.placeholder = std::move(placeholder);
    return out;
}

bool is_hex(const std::string& text, std::size_t digits)
{
    return text.size() == digits + 2 && text.starts_with("0x") &&
           text.find_first_not_of("0123456789abcdefABCDEF", 2) == text.npos;
}

result<void> check_texts(const options& given)
{
    const auto slash = given.offer.find('/');
    const bool is_offer =
        slash != given.offer.npos && slash > 0 && given.offer.find('/', slash + 1) == given.offer.npos;
    if (!given.offer.empty() && !is_offer)
        return fail(
            errc::invalid,
            "--offer: \"{}\" is neither NAMESPACE/NAME nor, for all of a namespace, NAMESPACE/",
            given.offer
        );
    if (!given.payer.empty() && !is_hex(given.payer, 40))
        return fail(errc::invalid, "--payer: \"{}\" is no address: 0x and 40 digits", given.payer);
    if (!given.transaction.empty() && !is_hex(given.transaction, 64))
        return fail(
            errc::invalid,
            "--transaction: \"{}\" is no transaction's hash: 0x and 64 digits",
            given.transaction
        );
    const std::vector<std::string> known = state_words();
    for (const std::string& each : given.states)
    {
        if (std::find(known.begin(), known.end(), each) == known.end())
            return fail(errc::invalid, "--state: \"{}\" is none of {}", each, fmt::join(known, ", "));
    }
    return {};
}

result<std::optional<moment>> parse_bound(const char* flag, const std::string& text, moment::edge of_day)
{
    if (text.empty())
        return std::optional<moment>();
    const auto out = moment::parse(text, of_day);
    if (!out)
        return out.error().within(flag);
    return std::optional(*out);
}

}  // namespace

void options::declare(config::loader& into)
{
    config::word word{"list|sum", "what is told: each payment (default), or what they come to", {}, false};
    word.apply = config::set_one_of(what, {"list", "sum"});
    word.reset = [this] { what = "list"; };
    word.values = {"list", "sum"};
    into.positional(std::move(word));
    config::option file = text_option("ledger", "the verifier's file of payments", ledger, "FILE");
    // As the verifier has it.
    file.fallback = "memory";
    into.add(std::move(file));
    into.add(text_option("offer", "those of this offer, or of a whole NAMESPACE/", offer, "NAMESPACE/NAME"));
    into.add(text_option("payer", "those of this account", payer, "ADDRESS"));
    into.add(text_option("transaction", "the one that this transaction settled", transaction, "HASH"));
    into.add(text_option(
        "since",
        "from then on: a time (RFC 3339), a day of UTC, or so long ago, such as 24h or 7d",
        since,
        "TIME"
    ));
    into.add(text_option("until", "before then; of a day, to its end", until, "TIME"));
    config::option state = config::list_option("state", "those that stand so", states);
    state.values = state_words();
    into.add(std::move(state));
    config::option most{"limit", "of a list: how many at most, the newest", "100", config::set_number(limit)};
    most.placeholder = "NUMBER";
    into.add(std::move(most));
    into.add(text_option(
        "by",
        "of sums: by offer, day, payer, asset, with commas; each is of one asset in any case",
        by,
        "WHAT,…"
    ));
    into.add(switch_option(
        "full", "the queries of requests too, which may hold what only their buyers should know", full
    ));
    into.add(output_option(output, {"text", "json", "csv"}));
    networks.declare(into);
}

result<void> options::resolve()
{
    if (auto checked = check_texts(*this); !checked)
        return checked;
    if (auto checked = filter({}); !checked)
        return checked.error();
    if (!is_sum() && !by.empty())
        return fail(errc::invalid, "--by is of sums: portitor sales sum --by {}", by);
    if (limit == 0 || limit > longest_list)
        return fail(errc::invalid, "--limit: {} is not from 1 to {}", limit, longest_list);
    if (limit > longest_table && output == "text")
        return fail(
            errc::invalid, "--limit: a table has {} lines at most; give -o csv or -o json", longest_table
        );
    return resolve_grouping();
}

result<void> options::resolve_grouping()
{
    grouping_ = {};
    std::istringstream words(by);
    for (std::string each; std::getline(words, each, ',');)
    {
        if (each == "offer")
            grouping_.offer = true;
        else if (each == "day")
            grouping_.day = true;
        else if (each == "payer")
            grouping_.payer = true;
        else if (each != "asset")
            return fail(errc::invalid, "--by: \"{}\" is none of offer, day, payer, asset", each);
    }
    return {};
}

result<ledger::sale_filter> options::filter(clock::time_point now) const
{
    const auto from = parse_bound("--since", since, moment::edge::begin);
    if (!from)
        return from.error();
    const auto to = parse_bound("--until", until, moment::edge::end);
    if (!to)
        return to.error();
    ledger::sale_filter out;
    out.offer = offer;
    out.payer = payer;
    out.transaction = transaction;
    if (*from)
        out.since = (*from)->at(now);
    if (*to)
        out.until = (*to)->at(now);
    if (!states.empty())
        out.also = [wanted = states](const ledger::sale& each) { return is_one_of(each, wanted); };
    return out;
}

}  // namespace portitor::cli::sales

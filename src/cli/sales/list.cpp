#include "cli/sales/list.hpp"

#include "cli/output/csv.hpp"
#include "cli/output/table.hpp"
#include "cli/sales/money.hpp"
#include "cli/sales/rows.hpp"
#include "cli/sales/standing.hpp"

#include <portitor/http/masked_url.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include <ostream>

namespace portitor::cli::sales {

namespace json = boost::json;

namespace {

json::value time_or_null(std::uint64_t seconds)
{
    return seconds == 0 ? json::value() : json::value(time_text(seconds));
}

// Buyers write tokens and names of theirs into queries.
std::string shown_uri(const std::string& uri, bool full)
{
    const auto query = uri.find('?');
    return full || query == uri.npos ? uri : uri.substr(0, query) + "?***";
}

tone tone_of(const ledger::sale& what)
{
    switch (standing_of(what))
    {
    case standing::delivered:
        return is_unproven(what) || what.interrupted ? tone::warning : tone::good;
    case standing::undelivered:
    case standing::doubt:
        return tone::warning;
    case standing::expired:
    case standing::reorganised:
        return tone::bad;
    default:
        return tone::plain;
    }
}

// The columns of CSV, too.
json::object to_json(const ledger::sale& what, const x402::network_table& networks, bool full)
{
    const known_asset asset = find_asset(networks, what.network, what.asset);
    json::object out{
        {"time", time_text(what.time())},
        {"offer", what.offer},
        {"payer", what.payer},
        {"amount", portitor::to_string(what.amount)}};
    add_token(out, asset, what.amount);
    out.insert(
        {{"network", what.network},
         {"asset", what.asset},
         {"state", to_string(standing_of(what))},
         {"cause",
          standing_of(what) == standing::closed ? json::value(x402::to_string(what.cause)) : json::value()},
         {"interrupted", what.interrupted},
         {"proven", what.settled_at == 0 ? json::value() : json::value(what.proven)},
         {"transaction", what.transaction},
         {"method", what.method},
         {"uri", shown_uri(what.uri, full)},
         {"requestId", what.request_id},
         {"offerUid", what.offer_uid},
         {"payTo", what.pay_to},
         {"nonce", what.nonce},
         {"facilitator", http::masked_url(what.facilitator)},
         {"began", time_or_null(what.began)},
         {"settledAt", time_or_null(what.settled_at)},
         {"endedAt", time_or_null(what.ended_at)}}
    );
    return out;
}

/// Writes payments one by one, in one of the forms.
class list_writer
{
public:
    list_writer(const options& how, const console& terminal)
        : how_(how), terminal_(terminal), table_(headings())
    {}

    void begin()
    {
        if (how_.output == "json")
            terminal_.out << "{\"payments\":[";
        else if (how_.output == "csv")
            terminal_.out << csv_heading(to_json({}, how_.networks.table, false));
    }

    void add(const ledger::sale& what)
    {
        ++count_;
        if (how_.output == "text")
            return add_row(what);
        const json::object row = to_json(what, how_.networks.table, how_.full);
        if (how_.output == "csv")
            terminal_.out << csv_row(row);
        else
            terminal_.out << (count_ == 1 ? "\n" : ",\n") << printable_json(json::serialize(row));
    }

    void end(bool has_more)
    {
        if (how_.output == "json")
            terminal_.out << (count_ == 0 ? "]" : "\n]") << ",\"more\":" << (has_more ? "true" : "false")
                          << "}\n";
        else if (how_.output == "text" && count_ > 0)
            table_.print(terminal_.out, palette(terminal_.colour));
        terminal_.out.flush();
        if (count_ == 0 && how_.output == "text")
            terminal_.err << "no such payment is in the book\n";
        if (has_more)
            terminal_.err << fmt::format(
                "there are more than the newest {}: see --limit, --since and --until\n", how_.limit
            );
    }

    std::size_t count() const { return count_; }

private:
    std::vector<std::string> headings() const
    {
        std::vector<std::string> out{"TIME", "OFFER", "PAYER", "AMOUNT", "NETWORK", "STATE", "TRANSACTION"};
        if (how_.full)
            out.emplace_back("REQUEST");
        return out;
    }

    void add_row(const ledger::sale& what)
    {
        const known_asset asset = find_asset(how_.networks.table, what.network, what.asset);
        std::vector<table::cell> row{
            time_text(what.time()),
            what.offer,
            what.payer,
            asset.amount(what.amount),
            asset.network,
            {in_words(what), tone_of(what)},
            what.transaction.empty() ? "-" : what.transaction};
        if (how_.full)
            row.emplace_back(what.method + ' ' + what.uri);
        table_.add(std::move(row));
    }

    const options& how_;
    const console& terminal_;
    table table_;
    std::size_t count_ = 0;
};

}  // namespace

result<void>
print_list(ledger::book& from, const ledger::sale_filter& which, const options& how, const console& terminal)
{
    list_writer writer(how, terminal);
    writer.begin();
    bool has_more = false;
    const auto told = from.list(which, [&](const ledger::sale& each) {
        has_more = writer.count() == how.limit;
        if (has_more)
            return false;
        writer.add(each);
        // Nobody reads any more.
        return terminal.out.good();
    });
    if (!told)
        return told;
    writer.end(has_more);
    return {};
}

}  // namespace portitor::cli::sales

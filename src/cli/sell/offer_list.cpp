#include "cli/sell/offer_list.hpp"

#include "cli/output/table.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/hints.hpp"
#include "cli/sell/terms_words.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/kube/list_all.hpp>

#include <algorithm>
#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

asio::awaitable<result<std::vector<kube::object_ptr>>>
list_offers(kube::api& server, std::string ns, std::string label_selector)
{
    std::vector<kube::object_ptr> out;
    const kube::item_handler take = [&](json::object&& item, std::string_view cut) -> result<void> {
        // The item's memory is the reader's.
        json::object copy(item, json::storage_ptr());
        auto read = cut.empty() ? kube::parse_object(std::move(copy))
                                : kube::parse_unreadable(std::move(copy), std::string(cut));
        if (!read)
            return read.error();
        out.push_back(std::move(*read));
        return {};
    };
    kube::selection which;
    which.ns = ns;
    which.labels = std::move(label_selector);
    const auto listed = co_await kube::list_each(server, api::service_offer_resource, which, take);
    if (!listed)
        co_return in_words(listed.error(), "list", api::service_offer_resource, {ns, ""});
    std::sort(out.begin(), out.end(), [](const kube::object_ptr& left, const kube::object_ptr& right) {
        return left->meta.key() < right->meta.key();
    });
    co_return out;
}

std::string no_offers(bool all, const std::string& ns)
{
    return all ? "There are no offers" : "There are no offers in namespace " + printable(ns, 63);
}

json::object as_list(std::span<const kube::object_ptr> offers)
{
    json::array items;
    for (const kube::object_ptr& each : offers)
        items.push_back(each->raw);
    return {{"apiVersion", "v1"}, {"kind", "List"}, {"items", std::move(items)}};
}

kube::condition ready_of(const kube::object& offer)
{
    const auto conditions = kube::parse_conditions(offer.status());
    const auto* found = kube::find_condition(conditions, api::condition_type::ready);
    if (found && (found->observed_generation == offer.meta.generation || offer.meta.deleted))
        return *found;
    kube::condition out;
    out.type = api::condition_type::ready;
    out.status = "Unknown";
    out.message = why_not_judged(offer);
    return out;
}

namespace {

// Of a cell: what others wrote, or an API server that lies, makes no table too wide to read.
constexpr std::size_t longest_name = 63;
constexpr std::size_t longest_word = 40;
constexpr std::size_t longest_url = 120;

std::string upstream_of(const kube::object& offer)
{
    const json::object& spec = offer.spec();
    return fmt::format(
        "{}.{}:{}",
        printable(kube::string_at(spec, "upstream.service"), longest_name),
        printable(kube::string_or(spec, "upstream.namespace", offer.meta.ns), longest_name),
        kube::int_at(spec, "upstream.port")
    );
}

std::vector<table::cell> row_of(const kube::object& offer, clock::time_point now, bool all, bool wide)
{
    const kube::condition ready = ready_of(offer);
    const json::object& spec = offer.spec();
    const tone how = ready.is_true() ? tone::good : ready.status == "False" ? tone::bad : tone::warning;
    std::vector<table::cell> row;
    const auto add = [&](const std::string& text, std::size_t longest, tone meaning = tone::plain) {
        row.emplace_back(printable(text, longest), meaning);
    };
    if (all)
        add(offer.meta.ns, longest_name);
    add(offer.meta.name, longest_name);
    add(kube::string_or(spec, "type", "http"), longest_word);
    add(written_price(offer), longest_word);
    add(kube::string_at(spec, "payment.network"), longest_word);
    add(ready.status, longest_word, how);
    add(ready.reason, longest_word);
    add(kube::string_at(offer.status(), "endpoint"), longest_url);
    row.emplace_back(age_in_words(std::chrono::duration_cast<std::chrono::seconds>(now - offer.meta.created))
    );
    if (wide)
    {
        add(kube::string_at(spec, "payment.payTo"), longest_name);
        row.emplace_back(upstream_of(offer));
        add(kube::string_at(spec, "model.name"), longest_name);
        add(kube::string_at(offer.status(), "phase"), longest_word);
        add(kube::string_at(offer.status(), "agentId"), longest_word);
    }
    return row;
}

}  // namespace

void print_offers(
    std::ostream& out,
    bool colour,
    std::span<const kube::object_ptr> offers,
    clock::time_point now,
    bool all,
    bool wide
)
{
    std::vector<std::string> headings;
    if (all)
        headings.emplace_back("NAMESPACE");
    for (const char* each : {"NAME", "TYPE", "PRICE", "NETWORK", "READY", "REASON", "URL", "AGE"})
        headings.emplace_back(each);
    if (wide)
        for (const char* each : {"PAYTO", "UPSTREAM", "MODEL", "PHASE", "AGENT"})
            headings.emplace_back(each);
    table rows(headings);
    for (const kube::object_ptr& each : offers)
        rows.add(row_of(*each, now, all, wide));
    rows.print(out, palette(colour));
}

}  // namespace portitor::cli::sell

#include "cli/explain/render.hpp"

#include <boost/json/array.hpp>

#include <ostream>

namespace portitor::cli::explain {

namespace json = boost::json;

namespace {

template <typename List>
json::array texts(const List& from)
{
    json::array out;
    for (const std::string& each : from)
        out.emplace_back(each);
    return out;
}

json::object to_json(const candidate& each)
{
    return {
        {"httpRoute", each.route.to_string()},
        {"rule", each.rule},
        {"match", each.match},
        {"priority", each.priority},
        {"middlewares", texts(each.middlewares)},
        {"backends", texts(each.backends)},
        {"onlyIf", each.only_if},
        {"notServed", each.not_served},
        {"madeByPortitor", each.made_by_us}};
}

json::object to_json(const charge& what)
{
    return {
        {"rule", what.rule},
        {"free", what.free},
        {"amount", what.amount},
        {"price", what.price},
        {"network", what.network},
        {"asset", what.asset},
        {"payTo", what.pay_to},
        {"facilitator", what.facilitator_url},
        {"settlement", what.settlement},
        {"credential", what.credential},
        {"maxTimeoutSeconds", what.max_timeout_seconds},
        {"resource", what.resource_url}};
}

std::string answer_in_words(const explanation& what)
{
    if (what.unpaid)
        return "passes WITHOUT payment";
    if (what.outcome == "unknown")
        return "not known";
    if (what.outcome == "free")
        return what.status == 200 ? "passes, free" : fmt::format("free at the gate, then {}", what.status);
    if (what.charge && !what.charge->free && what.status == 402)
        return fmt::format("402, and {} buys it", what.charge->price);
    return fmt::format("{}", what.status);
}

tone tone_of(const explanation& what)
{
    if (what.unpaid)
        return tone::bad;
    return what.status == 402 || (what.outcome == "free" && what.status == 200) ? tone::good : tone::warning;
}

class printer
{
public:
    printer(std::ostream& out, const palette& colours) : out_(out), colours_(colours) {}

    void line(std::string_view label, std::string_view text, tone how = tone::plain)
    {
        if (text.empty())
            return;
        out_ << "  " << colours_.paint(tone::dim, fmt::format("{:<13}", label))
             << colours_.paint(how, printable(text)) << '\n';
    }

    void candidates(const explanation& what)
    {
        if (what.candidates.size() + (what.taken ? 0 : 1) < 2)
            return;
        out_ << "  " << colours_.paint(tone::dim, "not taken") << '\n';
        for (std::size_t i = 0; i < what.candidates.size(); ++i)
        {
            const candidate& each = what.candidates[i];
            if (i == what.taken)
                continue;
            const std::string why = !each.not_served.empty() ? each.not_served
                                    : !each.only_if.empty()  ? "only where " + each.only_if
                                                             : "comes later in the gateway's order";
            out_ << "    "
                 << printable(fmt::format(
                        "HTTPRoute {}, rules[{}] ({}): {}", each.route.to_string(), each.rule, each.match, why
                    ))
                 << '\n';
        }
    }

private:
    std::ostream& out_;
    const palette& colours_;
};

void print_charge(printer& to, const charge& what)
{
    to.line(
        "rule",
        what.rule.empty() ? "the offer's own price: no rule of the offer holds this path"
                          : what.rule + ", the most specific of the offer's rules that holds this path"
    );
    if (what.free)
        return;
    to.line("price", fmt::format("{} a request ({} atomic units)", what.price, what.amount));
    to.line("paid to", fmt::format("{} on {}, asset {}", what.pay_to, what.network, what.asset));
    to.line("facilitator", what.facilitator_url);
    to.line(
        "settlement",
        what.settlement == "beforeResponse" ? "beforeResponse: settled before the service is asked"
                                            : what.settlement
    );
    to.line("resource", what.resource_url);
}

}  // namespace

json::object to_json(const explanation& what)
{
    json::array candidates;
    for (const candidate& each : what.candidates)
        candidates.push_back(to_json(each));
    return {
        {"request", what.request.written},
        {"method", what.request.method},
        {"scheme", what.gateway_scheme},
        {"host", what.request.host},
        {"path", what.request.path},
        {"candidates", std::move(candidates)},
        {"taken", what.taken ? json::value(*what.taken) : json::value(nullptr)},
        {"offer", what.offer},
        {"bound", what.bound},
        {"unpaid", what.unpaid},
        {"status", what.status == 0 ? json::value(nullptr) : json::value(what.status)},
        {"outcome", what.outcome},
        {"why", what.words},
        {"charge", what.charge ? json::value(to_json(*what.charge)) : json::value(nullptr)},
        {"remarks", texts(what.remarks)},
        {"body402", what.body_402},
        {"header402", what.header_402}};
}

void print(std::ostream& out, const explanation& what, const palette& colours, bool with_402)
{
    out << colours.paint(tone::heading, printable(what.request.method + " " + what.request.written)) << '\n';
    printer to(out, colours);
    to.line("answer", answer_in_words(what), tone_of(what));
    to.line("why", what.words);
    to.line("host, path", what.request.host + " " + what.request.path);
    if (what.taken)
    {
        const candidate& taken = what.candidates[*what.taken];
        to.line(
            "gateway",
            fmt::format("HTTPRoute {}, rules[{}] ({})", taken.route.to_string(), taken.rule, taken.match)
        );
        to.line("leads to", fmt::format("{}", fmt::join(taken.backends, ", ")));
    }
    to.candidates(what);
    if (!what.offer.empty())
        to.line("offer", what.offer + (what.bound ? "" : ", found by its path"));
    if (what.charge)
        print_charge(to, *what.charge);
    for (const std::string& each : what.remarks)
        to.line("note", each);
    if (with_402 && !what.body_402.empty())
        out << "  PAYMENT-REQUIRED: " << what.header_402 << "\n  " << printable_json(what.body_402) << '\n';
}

}  // namespace portitor::cli::explain

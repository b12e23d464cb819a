#include "cli/sell/status_view.hpp"

#include "cli/output/table.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/hints.hpp"
#include "cli/sell/offer_list.hpp"
#include "cli/sell/terms_words.hpp"
#include "offer/drain.hpp"
#include "offer/terms.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/registration_request.hpp>
#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <map>
#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t width = 110;
constexpr std::size_t longest_message = 1000;

/// The conditions in the order in which people read them, then those of others.
std::vector<kube::condition> ordered_conditions(const kube::object& offer)
{
    const auto all = kube::parse_conditions(offer.status());
    std::vector<kube::condition> out;
    for (const std::string_view type : api::condition_type::all)
    {
        if (const auto* each = kube::find_condition(all, type))
            out.push_back(*each);
    }
    for (const kube::condition& each : all)
    {
        if (!kube::find_condition(out, each.type))
            out.push_back(each);
    }
    return out;
}

tone tone_of(const kube::condition& of)
{
    if (of.type == api::condition_type::draining)
        return tone::warning;
    return of.is_true() ? tone::good : of.status == "False" ? tone::bad : tone::warning;
}

class status_printer
{
public:
    status_printer(std::ostream& out, status_style how, const status_view& of, clock::time_point now)
        : out_(out), how_(how), colours_(how.colour), of_(of), now_(now)
    {}

    void print(const offer::plan_settings& settings)
    {
        const kube::object& offer = *of_.offer;
        out_ << colours_.paint(
                    tone::heading,
                    fmt::format(
                        "ServiceOffer {} ({})",
                        offer.meta.key().to_string(),
                        printable(kube::string_or(offer.spec(), "type", "http"), 40)
                    )
                )
             << '\n';
        print_sale(settings);
        print_gate();
        print_agent();
        print_end();
        out_ << '\n';
        print_conditions();
        print_hints();
        out_.flush();
    }

private:
    void line(const char* name, const std::string& what)
    {
        if (!what.empty())
            out_ << fmt::format("  {:13} {}\n", name, printable(what));
    }

    void print_sale(const offer::plan_settings& settings)
    {
        const kube::object& offer = *of_.offer;
        line("URL", kube::string_at(offer.status(), "endpoint"));
        line("Phase", kube::string_at(offer.status(), "phase"));
        const auto spec = api::parse_service_offer(offer);
        api::payment_route terms;
        const bool judged = spec && !offer::fill_terms(*spec, settings, terms);
        // What the verifier sells by goes before what the offer would come to.
        const auto sold =
            of_.route ? api::parse_payment_route(*of_.route) : result<api::payment_route>(error());
        if (sold)
            terms = *sold;
        line(
            "Price",
            sold || judged
                ? price_in_words(terms, settings.lists.networks.table)
                : fmt::format(
                      "{} on {}", written_price(offer), kube::string_at(offer.spec(), "payment.network")
                  )
        );
        line("Paid to", kube::string_at(offer.spec(), "payment.payTo"));
        const std::string name = kube::string_at(offer.spec(), "payment.facilitator");
        if (sold || judged)
            line(
                "Facilitator",
                terms.facilitator_url + (name.empty() ? " (the operator's default)" : " (" + name + ")")
            );
        else
            line("Facilitator", name);
        if (spec)
            line(
                "Upstream",
                fmt::format(
                    "http://{}.{}:{}{}",
                    spec->upstream.service,
                    spec->upstream.ns,
                    spec->upstream.port,
                    spec->upstream.health_path
                )
            );
        line("Model", kube::string_at(offer.spec(), "model.name"));
    }

    void print_gate()
    {
        if (!of_.route)
            return line("Admitted", "no: there is no PaymentRoute, or you have no right to see it");
        const api::admission said = api::read_admission(*of_.route);
        if (said.admitted && said.generation == of_.route->meta.generation)
            return line("Admitted", "yes: a verifier sells on these terms");
        line(
            "Admitted", said.refused ? "no: " + said.message : "not yet: no verifier has taken up these terms"
        );
    }

    void print_agent()
    {
        const std::string agent = kube::string_at(of_.offer->status(), "agentId");
        const std::string transaction = kube::string_at(of_.offer->status(), "registrationTxHash");
        if (!of_.registration)
            return line("Agent", agent);
        const api::registration_state state = api::read_registration_state(*of_.registration);
        std::string words = agent.empty() ? to_string(state.phase) : "agent " + agent;
        if (words.empty())
            words = "asked for";
        words += " on " + kube::string_at(of_.registration->spec(), "chain");
        if (!transaction.empty())
            words += ", transaction " + transaction;
        line("Registration", words);
    }

    void print_end()
    {
        const auto spec = api::parse_service_offer(*of_.offer);
        if (!spec || !spec->drain_at)
            return;
        const offer::ending end = offer::ending_of(*spec, now_);
        line(
            "Stopped",
            end.stage == offer::drain_stage::drained
                ? "taken down at " + to_rfc3339(end.sold_until)
                : fmt::format(
                      "sold until {}, for {}",
                      to_rfc3339(end.sold_until),
                      age_in_words(std::chrono::duration_cast<std::chrono::seconds>(end.sold_until - now_))
                  )
        );
    }

    void print_conditions()
    {
        std::vector<std::string> headings{"TYPE", "STATUS", "REASON", "AGE"};
        if (how_.wide)
            headings.insert(headings.end(), {"SINCE", "GENERATION"});
        headings.emplace_back("MESSAGE");
        table rows(headings);
        for (const kube::condition& each : ordered_conditions(*of_.offer))
        {
            const auto since = parse_rfc3339(each.last_transition_time);
            const bool present = each.observed_generation == of_.offer->meta.generation;
            std::vector<table::cell> row{
                each.type,
                {each.status, tone_of(each)},
                each.reason,
                since ? age_in_words(std::chrono::duration_cast<std::chrono::seconds>(now_ - *since)) : "?"};
            if (how_.wide)
            {
                row.emplace_back(each.last_transition_time);
                row.emplace_back(fmt::format("{}{}", each.observed_generation, present ? "" : " (old)"));
            }
            row.emplace_back((present ? "" : "(of an older spec) ") + each.message);
            rows.add(std::move(row));
        }
        if (rows.empty())
            out_
                << "No conditions yet: the controller has not looked at the offer; if this lasts, see that it "
                   "runs\n";
        else
            rows.print(out_, colours_);
    }

    void print_hints()
    {
        bool first = true;
        for (const kube::condition& each : ordered_conditions(*of_.offer))
        {
            // Ready says again what another one says.
            const bool draining = each.type == api::condition_type::draining;
            if ((each.is_true() && !draining) || each.type == api::condition_type::ready)
                continue;
            const auto what = hint_for(each.reason, *of_.offer);
            if (!what)
                continue;
            if (std::exchange(first, false))
                out_ << "\nWhat to do:\n";
            out_ << "  "
                 << wrap(
                        fmt::format("{} is {} ({}): {}.", each.type, each.status, each.reason, what->words),
                        width,
                        4
                    )
                 << '\n';
            if (!what->command.empty())
                out_ << colours_.paint(tone::dim, "      " + what->command) << '\n';
        }
    }

    std::ostream& out_;
    status_style how_;
    palette colours_;
    const status_view& of_;
    clock::time_point now_;
};

}  // namespace

asio::awaitable<result<status_view>> read_status(kube::api& server, kube::object_key of)
{
    status_view out;
    const auto offer = co_await server.get(api::service_offer_resource, of);
    if (!offer)
        co_return in_words(offer.error(), "get", api::service_offer_resource, of);
    out.offer = *offer;
    const kube::object_key route_key{of.ns, api::payment_route_name(of.name)};
    const auto route = co_await server.get(api::payment_route_resource, route_key);
    if (route && api::is_made_for(**route, out.offer->meta))
        out.route = *route;
    const kube::object_key request_key{of.ns, api::registration_name(of.name)};
    const auto request = co_await server.get(api::registration_request_resource, request_key);
    if (request && api::is_made_for(**request, out.offer->meta))
        out.registration = *request;
    co_return out;
}

void print_status(
    std::ostream& out,
    status_style how,
    const status_view& of,
    const offer::plan_settings& settings,
    clock::time_point now
)
{
    status_printer(out, how, of, now).print(settings);
}

json::object status_data(const status_view& of)
{
    json::array hints;
    for (const kube::condition& each : ordered_conditions(*of.offer))
    {
        if (each.is_true() && each.type != api::condition_type::draining)
            continue;
        const auto what = hint_for(each.reason, *of.offer);
        json::object entry{
            {"type", each.type}, {"status", each.status}, {"reason", each.reason}, {"message", each.message}};
        if (what)
        {
            entry["do"] = what->words;
            if (!what->command.empty())
                entry["command"] = what->command;
        }
        hints.push_back(std::move(entry));
    }
    return {{"offer", of.offer->raw}, {"ready", ready_of(*of.offer).is_true()}, {"hints", std::move(hints)}};
}

void print_problems(std::ostream& out, bool colour, std::span<const kube::object_ptr> offers)
{
    std::map<std::string, std::vector<kube::object_ptr>> by_reason;
    for (const kube::object_ptr& each : offers)
    {
        const kube::condition ready = ready_of(*each);
        if (!ready.is_true())
            by_reason[ready.reason].push_back(each);
    }
    const palette colours(colour);
    for (const auto& [reason, all] : by_reason)
    {
        out << '\n'
            << colours.paint(
                   tone::bad,
                   fmt::format(
                       "{}: {}", reason.empty() ? "Not looked at yet" : printable(reason, 100), all.size()
                   )
               )
            << '\n';
        for (const kube::object_ptr& each : all)
            out << "  " << each->meta.key().to_string() << ": "
                << printable(ready_of(*each).message, longest_message) << '\n';
        if (const auto what = hint_for(reason, *all.front()))
            out << "  " << wrap("What to do: " + what->words + ".", width, 4) << '\n';
    }
}

}  // namespace portitor::cli::sell

#include "cli/sell/status_view.hpp"

#include "cli/output/masked.hpp"
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

#include <ostream>
#include <set>

namespace portitor::cli::sell {

namespace {

constexpr std::size_t width = 110;
// Of what others wrote.
constexpr std::size_t longest_text = 500;
constexpr std::size_t longest_word = 100;
constexpr std::size_t longest_name = 63;

tone tone_of(const kube::condition& of)
{
    return !is_worth_a_hint(of) ? tone::good : of.status == "False" ? tone::bad : tone::warning;
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
                        printable(offer.meta.key().to_string(), 2 * longest_name),
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
            out_ << fmt::format("  {:13} {}\n", name, printable(what, longest_text));
    }

    void print_sale(const offer::plan_settings& settings)
    {
        const kube::object& offer = *of_.offer;
        line("URL", kube::string_at(offer.status(), "endpoint"));
        line("Phase", kube::string_at(offer.status(), "phase"));
        if (api::is_held_by_predecessor(offer.meta))
            line(
                "Held by",
                fmt::format(
                    "the predecessor's controller, by its finalizer {}: Portitor leaves the offer alone "
                    "until that one goes",
                    api::predecessors_finalizer
                )
            );
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
        // What nobody sells by yet may be a default of this program, and not the operator's.
        if (sold)
            line(
                "Facilitator",
                masked_url(terms.facilitator_url) +
                    (name.empty() ? " (the operator's default)" : " (" + name + ")")
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
        if (!how_.settings.empty())
            out_ << colours_.paint(
                        tone::dim,
                        fmt::format("  {:13} {}", "Settings", printable(how_.settings, longest_text))
                    )
                 << '\n';
    }

    void print_gate()
    {
        if (!of_.route_unseen.empty())
            return line("Admitted", "not known: " + of_.route_unseen);
        if (!of_.route)
            return line("Admitted", "no: nothing is sold, as it has no PaymentRoute");
        const api::admission said = api::read_admission(*of_.route);
        if (said.admitted && said.generation == of_.route->meta.generation)
            return line(
                "Admitted",
                api::is_refused_by_some(*of_.route) ? "by some: " + said.message
                                                    : "yes: a verifier sells on these terms"
            );
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
                printable(each.type, longest_word),
                {printable(each.status, longest_word), tone_of(each)},
                printable(each.reason, longest_word),
                since ? age_in_words(std::chrono::duration_cast<std::chrono::seconds>(now_ - *since)) : "?"};
            if (how_.wide)
            {
                row.emplace_back(printable(each.last_transition_time, longest_word));
                row.emplace_back(fmt::format("{}{}", each.observed_generation, present ? "" : " (old)"));
            }
            row.emplace_back((present ? "" : "(of an older spec) ") + printable(each.message, longest_text));
            rows.add(std::move(row));
        }
        if (rows.empty() && !of_.left_out.empty())
            out_ << "No conditions: " << printable(of_.left_out, longest_text) << '\n';
        else if (rows.empty())
            out_ << "No conditions yet: " << why_not_judged(*of_.offer) << '\n';
        else
            rows.print(out_, colours_);
    }

    void print_hints()
    {
        if (!of_.left_out.empty())
            out_ << "\nWhat to do:\n  Give the offer the labels:\n"
                 << colours_.paint(
                        tone::dim,
                        "      " +
                            command_for("kubectl label serviceoffer {name} -n {ns} KEY=VALUE", *of_.offer)
                    )
                 << '\n';
        bool first = true;
        std::set<std::string> told;
        for (const kube::condition& each : ordered_conditions(*of_.offer))
        {
            // Ready and what is withheld say again what another one says.
            if (!is_worth_a_hint(each) || each.type == api::condition_type::ready ||
                each.reason == api::because::withheld.name || !told.insert(each.reason).second)
                continue;
            const auto what = hint_for(each, *of_.offer);
            if (!what)
                continue;
            if (std::exchange(first, false))
                out_ << "\nWhat to do:\n";
            out_ << "  "
                 << wrap(
                        fmt::format(
                            "{} is {} ({}): {}",
                            printable(each.type, longest_word),
                            printable(each.status, longest_word),
                            each.reason,
                            sentence(*what)
                        ),
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

}  // namespace portitor::cli::sell

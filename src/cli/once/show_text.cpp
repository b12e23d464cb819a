#include "cli/once/show.hpp"
#include "cli/once/show_child.hpp"
#include "cli/output/table.hpp"

#include <algorithm>
#include <ostream>

namespace portitor::cli::once {

namespace {

constexpr std::string_view inner = "    ";

// What was told above is told once.
std::string without(std::string text, std::string_view told_above)
{
    const std::size_t at = told_above.empty() ? text.npos : text.find(told_above);
    return at == text.npos ? text : text.replace(at, told_above.size(), "see above");
}

/// One run over a report.
class writer
{
public:
    writer(std::ostream& out, const palette& colours, bool all) : out_(out), colours_(colours), all_(all) {}

    void head(const report& of) const
    {
        out_ << told(fmt::format("Looked at {}. The operator's settings: {}.", of.cluster, of.settings), 0)
             << '\n';
        for (const std::string& each : of.unseen)
            out_ << colours_.paint(tone::warning, told("Not seen: " + each, 2)) << '\n';
        out_ << '\n';
    }

    void offer(const offer_report& of) const
    {
        out_ << colours_.paint(tone::heading, printable(of.key.to_string())) << where_from(of) << '\n';
        for (const std::string& each : of.problems)
            line("! ", tone::bad, "invalid: " + each);
        if (!of.passed_over.empty())
            line("  ", tone::dim, of.passed_over);
        if (of.by_defaults)
            line(
                "  ",
                tone::warning,
                "judged by defaults: no object of this offer shows the operator's settings"
            );
        show_diff(out_, of.offer_diff, colours_);
        if (of.terms)
            terms(*of.terms);
        if (of.blocked)
            line(
                "! ",
                tone::bad,
                fmt::format(
                    "blocked: {} ({}): {}", of.blocked->reason, of.blocked->condition, of.blocked->message
                )
            );
        for (const child_report& each : of.children)
            show_child(out_, each, colours_, all_);
        own_writes(of);
        conditions(of);
        then(of);
        out_ << '\n';
    }

private:
    static std::string where_from(const offer_report& of)
    {
        switch (of.standing)
        {
        case standing::live:
            return {};
        case standing::created:
            return fmt::format(" (new, from {})", printable(of.from));
        case standing::changed:
            return fmt::format(" (from {}, in the place of the live one)", printable(of.from));
        case standing::same:
            return fmt::format(" (from {}, as the live one)", printable(of.from));
        }
        return {};
    }

    void line(std::string_view mark, tone how, std::string_view text) const
    {
        out_ << "  " << colours_.paint(how, mark) << told(text, inner.size()) << '\n';
    }

    void fact(std::string_view name, std::string_view text) const
    {
        if (!text.empty())
            out_ << colours_.paint(tone::dim, fmt::format("  {:<12}", name)) << printable(text) << '\n';
    }

    void terms(const terms_report& of) const
    {
        const char* name = "price";
        for (const price_line& each : of.prices)
        {
            fact(
                name,
                fmt::format(
                    "{}{}{}{}",
                    each.path,
                    each.path.empty() ? "" : ": ",
                    each.words,
                    each.how.empty() ? "" : " (" + each.how + ")"
                )
            );
            name = "";
        }
        fact("paid to", of.pay_to);
        fact(
            "facilitator",
            of.facilitator + (of.facilitator_url.empty() ? "" : " (" + of.facilitator_url + ")")
        );
        fact("credential", of.credential);
        fact("endpoint", of.endpoint);
        fact("upstream", of.upstream);
    }

    void own_writes(const offer_report& of) const
    {
        if (of.adds_finalizer)
            line("~ ", tone::warning, "finalizer obol.org/portitor is added");
        if (of.removes_finalizer)
            line("~ ", tone::warning, "finalizer obol.org/portitor is taken off: the offer goes");
        if (of.writes_status)
            line(
                "~ ",
                tone::warning,
                fmt::format(
                    "status: {}{}",
                    of.live_phase == of.phase ? ""
                                              : (of.live_phase.empty() ? "none -> " : of.live_phase + " -> "),
                    of.phase
                )
            );
    }

    void conditions(const offer_report& of) const
    {
        table rows({"CONDITION", "STATUS", "REASON", "MESSAGE"});
        const std::string above = of.blocked ? of.blocked->message : "";
        for (const condition_report& each : of.conditions)
        {
            const kube::condition& wanted = each.wanted;
            const bool moves = each.live_status != wanted.status;
            const tone how = wanted.is_true()           ? tone::good
                             : wanted.status == "False" ? tone::bad
                                                        : tone::warning;
            rows.add(
                {wanted.type,
                 {moves && !each.live_status.empty()
                      ? fmt::format("{} (now {})", wanted.status, each.live_status)
                      : wanted.status,
                  how},
                 wanted.reason,
                 without(wanted.message, above)}
            );
        }
        if (!rows.empty())
            rows.print(out_, colours_, 2);
    }

    void then(const offer_report& of) const
    {
        for (const offer::note& each : of.events)
        {
            const bool told_above =
                std::any_of(of.conditions.begin(), of.conditions.end(), [&](const condition_report& one) {
                    return one.wanted.message == each.message;
                });
            line(
                "", tone::plain, "Event " + each.reason + (told_above ? std::string() : ": " + each.message)
            );
        }
        if (of.changes() || all_)
        {
            for (const std::string& each : of.next)
                line("", tone::dim, "next: " + each);
        }
    }

    std::ostream& out_;
    const palette& colours_;
    bool all_;
};

}  // namespace

void show_head(std::ostream& out, const report& of, const palette& colours)
{
    writer(out, colours, false).head(of);
}

void show_text(std::ostream& out, const report& all_of_it, const palette& colours, bool all)
{
    const writer to(out, colours, all);
    to.head(all_of_it);
    for (const offer_report& each : all_of_it.offers)
        to.offer(each);
    out << plan_in_words(all_of_it.count()) << '\n';
}

}  // namespace portitor::cli::once

#include "cli/once/report.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace portitor::cli::once {

const char* to_string(step value) noexcept
{
    switch (value)
    {
    case step::create:
        return "create";
    case step::change:
        return "change";
    case step::remove:
        return "delete";
    case step::release:
        return "release";
    case step::later:
        return "later";
    case step::same:
        return "same";
    }
    return "";
}

const char* to_string(standing value) noexcept
{
    switch (value)
    {
    case standing::live:
        return "live";
    case standing::created:
        return "new";
    case standing::changed:
        return "changed";
    case standing::same:
        return "same";
    }
    return "";
}

bool offer_report::changes() const
{
    return adds_finalizer || removes_finalizer || writes_status || !events.empty() ||
           std::any_of(children.begin(), children.end(), [](const child_report& each) {
               return each.what != step::same && each.what != step::later;
           });
}

bool report::changes() const
{
    return std::any_of(offers.begin(), offers.end(), [](const offer_report& each) { return each.changes(); });
}

summary report::count() const
{
    summary out;
    for (const offer_report& offer : offers)
    {
        for (const child_report& each : offer.children)
        {
            out.creates += each.what == step::create ? 1 : 0;
            out.changes += each.what == step::change || each.what == step::release ? 1 : 0;
            out.removes += each.what == step::remove ? 1 : 0;
            out.same += each.what == step::same ? 1 : 0;
        }
        out.blocked += offer.blocked ? 1 : 0;
        out.invalid += offer.problems.empty() ? 0 : 1;
        out.statuses += offer.writes_status ? 1 : 0;
        out.finalizers += offer.adds_finalizer || offer.removes_finalizer ? 1 : 0;
    }
    return out;
}

std::string plan_in_words(const summary& numbers)
{
    std::string out = fmt::format(
        "Plan: {} to create, {} to change, {} to delete, {} blocked",
        numbers.creates,
        numbers.changes,
        numbers.removes,
        numbers.blocked
    );
    out += fmt::format("; {} as wanted", numbers.same);
    if (numbers.statuses + numbers.finalizers > 0)
        out += fmt::format("; on offers: {} status, {} finalizer", numbers.statuses, numbers.finalizers);
    if (numbers.invalid > 0)
        out += fmt::format("; {} invalid", numbers.invalid);
    return out;
}

}  // namespace portitor::cli::once

#include "cli/sell/hints.hpp"

#include "cli/sell/hint_entries.hpp"

#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace portitor::cli::sell {

namespace {

constexpr std::size_t longest_name = 253;

// What others wrote is not put into a command that somebody may copy.
std::string safe_name(const std::string& text, const char* otherwise)
{
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
    });
    return plain && !text.empty() && text.size() <= longest_name ? text : otherwise;
}

}  // namespace

std::string command_for(std::string_view pattern, const kube::object& offer)
{
    const std::string ns = safe_name(offer.meta.ns, "NAMESPACE");
    return fmt::format(
        fmt::runtime(pattern),
        fmt::arg("ns", ns),
        fmt::arg("name", safe_name(offer.meta.name, "NAME")),
        fmt::arg("upstream", safe_name(kube::string_or(offer.spec(), "upstream.namespace", ns), "NAMESPACE"))
    );
}

std::string sentence(const hint& of)
{
    return of.words + (of.command.empty() ? '.' : ':');
}

std::optional<hint> hint_for(std::string_view reason, const kube::object& offer)
{
    const auto at = std::find_if(hints::entries.begin(), hints::entries.end(), [&](const hints::entry& each) {
        return each.reason == reason;
    });
    if (at == hints::entries.end())
        return std::nullopt;
    return hint{command_for(at->words, offer), command_for(at->command, offer)};
}

bool is_worth_a_hint(const kube::condition& of)
{
    return !of.is_true() || of.type == api::condition_type::draining ||
           of.type == api::condition_type::not_supported || of.reason == api::because::refused_by_some.name;
}

std::string why_not_judged(const kube::object& offer)
{
    if (api::is_held_by_predecessor(offer.meta))
        return fmt::format(
            "the predecessor's controller holds the offer ({}), so Portitor leaves it alone until that "
            "finalizer goes",
            api::predecessors_finalizer
        );
    return "the controller has not looked at the present spec yet; if this lasts, see that it runs, and that "
           "the operator's offer-selector does not leave the offer out";
}

std::optional<hint> hint_for(const kube::condition& of, const kube::object& offer)
{
    if (auto known = hint_for(of.reason, offer))
        return known;
    const auto all = kube::parse_conditions(offer.status());
    const auto* published = kube::find_condition(all, api::condition_type::route_published);
    const bool is_gateways = published && published->status == "False" && published->reason == of.reason;
    return is_gateways ? hint_for(api::because::not_accepted.name, offer) : std::nullopt;
}

}  // namespace portitor::cli::sell

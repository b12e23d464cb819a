#include "cli/once/comparison.hpp"

#include "offer/price.hpp"

#include <portitor/x402/words.hpp>

#include <boost/algorithm/string/predicate.hpp>

#include <algorithm>
#include <map>

namespace portitor::cli::once {

namespace {

std::string price_of(const charge& of, const x402::network_table& known)
{
    return of.free ? "free" : x402::amount_in_words(of.atomic, of.network, of.asset, known);
}

bool same_url(std::string_view left, std::string_view right)
{
    const auto plain = [](std::string_view url) { return url.substr(0, url.find_last_not_of('/') + 1); };
    return plain(left) == plain(right);
}

// Twice as wide as any amount, so that the product of one has room.
using wide = boost::multiprecision::uint512_t;

wide rounded_up(const u256& amount, unsigned numerator, unsigned denominator)
{
    return (wide(amount) * numerator + (denominator - 1)) / denominator;
}

// The rules in which the two are known to differ.
void explain_price(const charge& there, const charge& here, std::vector<std::string>& out)
{
    if (there.network != here.network)
        return;
    const auto is_part = [&](const char* model, unsigned numerator, unsigned denominator) {
        return here.model == model && !there.free &&
               rounded_up(there.atomic, numerator, denominator) == wide(here.atomic);
    };
    if (is_part("perHour", offer::approx_minutes_per_request, offer::minutes_per_hour))
        out.emplace_back(
            "the predecessor's verifier charges the price of an hour for each request; Portitor takes a "
            "request for 5 minutes of 60"
        );
    else if (is_part("perMTok", offer::approx_tokens_per_request, offer::tokens_per_mtok))
        out.emplace_back(
            "the predecessor charges the price of a million tokens for each request, as its older versions "
            "do; Portitor takes a request for 1000 tokens"
        );
    else if (there.rounded && here.atomic == there.atomic + 1)
        out.emplace_back(
            "the price has more digits than the asset: the predecessor rounds half up, Portitor always up"
        );
    if (there.free && !here.free)
        out.emplace_back("the predecessor gives the route away: its price comes to nothing");
}

void compare(compared_route& into, const x402::network_table& known)
{
    const charge& there = *into.there;
    const charge& here = *into.here;
    const auto differ = [&](const char* what, const std::string& theirs, const std::string& ours) {
        into.differences.push_back(fmt::format("{}: there {}, here {}", what, theirs, ours));
    };
    if (!there.wrong.empty())
    {
        into.differences.push_back("there nobody can pay: " + there.wrong);
        return;
    }
    if (there.free != here.free || there.atomic != here.atomic)
    {
        differ("price", price_of(there, known), price_of(here, known));
        explain_price(there, here, into.remarks);
    }
    if (there.free && here.free)
        return;
    if (there.network != here.network)
        differ("network", there.network, here.network);
    else if (!boost::iequals(there.asset, here.asset))
        differ("asset", there.asset, here.asset);
    if (!boost::iequals(there.pay_to, here.pay_to))
        differ("paid to", there.pay_to.empty() ? "nobody" : there.pay_to, here.pay_to);
    if (there.facilitator.empty())
        into.remarks.emplace_back("which facilitator there: not written, so its verifier's own default");
    else if (!same_url(there.facilitator, here.facilitator))
        differ("facilitator", there.facilitator, here.facilitator);
}

bool covers(std::string_view pattern, std::string_view other)
{
    if (!pattern.ends_with("/*"))
        return false;
    pattern.remove_suffix(2);
    return other == pattern || (other.starts_with(pattern) && other.substr(pattern.size()).starts_with('/'));
}

// Of a path without terms of its own: the predecessor takes the first route that matches.
const charge* find_covering(const std::vector<charge>& all, std::string_view pattern)
{
    const auto at = std::find_if(all.begin(), all.end(), [&](const charge& each) {
        return covers(each.pattern, pattern);
    });
    return at == all.end() ? nullptr : &*at;
}

// What one side has a price for alone, the other one charges by a wider route.
void complete(compared_route& of, const std::vector<charge>& there, const std::vector<charge>& here)
{
    const bool lacks_there = !of.there;
    if (of.there && of.here)
        return;
    const charge* wider = find_covering(lacks_there ? there : here, of.pattern);
    if (!wider)
        return;
    (lacks_there ? of.there : of.here) = *wider;
    of.remarks.push_back(fmt::format("{} it is {}", lacks_there ? "there" : "here", wider->pattern));
}

}  // namespace

std::vector<compared_route> compare_charges(
    const std::vector<charge>& there,
    const std::vector<charge>& here,
    const std::vector<unsold>& blocked,
    const x402::network_table& known
)
{
    // The first route that matches is the one that the predecessor takes.
    std::map<std::string, compared_route> by_pattern;
    for (const charge& each : there)
    {
        compared_route& route = by_pattern[each.pattern];
        if (!route.there)
            route.there = each;
        else
            route.remarks.emplace_back("the pattern comes more than once there; the first one counts");
    }
    std::vector<compared_route> more;
    for (const charge& each : here)
    {
        compared_route& route = by_pattern[each.pattern];
        if (!route.here)
            route.here = each;
        else
            // Another host's.
            more.push_back({each.pattern, route.there, each});
    }
    for (const unsold& each : blocked)
    {
        const auto at = by_pattern.find(each.pattern);
        if (at == by_pattern.end() || at->second.here)
            continue;
        at->second.unsold_here.insert(each.offer);
        at->second.remarks.push_back(each.why);
    }
    std::vector<compared_route> out;
    for (auto& [pattern, route] : by_pattern)
    {
        route.pattern = pattern;
        out.push_back(std::move(route));
    }
    out.insert(out.end(), more.begin(), more.end());
    std::stable_sort(out.begin(), out.end(), [](const compared_route& left, const compared_route& right) {
        return left.pattern < right.pattern;
    });
    for (compared_route& each : out)
    {
        complete(each, there, here);
        if (each.there && each.here)
            compare(each, known);
    }
    return out;
}

void keep_routes_of(std::vector<compared_route>& all, const std::set<std::string>& offers)
{
    const auto is_of = [&](const std::optional<charge>& side) {
        return side && offers.contains(side->offer);
    };
    std::erase_if(all, [&](const compared_route& each) {
        return !is_of(each.here) && !is_of(each.there) &&
               std::none_of(each.unsold_here.begin(), each.unsold_here.end(), [&](const std::string& one) {
                   return offers.contains(one);
               });
    });
}

}  // namespace portitor::cli::once

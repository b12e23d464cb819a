#include "cli/output/text.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/hints.hpp"
#include "cli/sell/offer_list.hpp"
#include "cli/sell/status_view.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <map>
#include <ostream>

// Reading how offers stand, and telling it to programs and of several at once.

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t width = 110;
// Of what others wrote.
constexpr std::size_t most_conditions = 32;
constexpr std::size_t longest_key = 130;
constexpr std::size_t longest_text = 500;

}  // namespace

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
        if (out.size() < most_conditions && !kube::find_condition(out, each.type))
            out.push_back(each);
    }
    return out;
}

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
    if (!route && !route.error().is_not_found())
        out.route_unseen = in_words(route.error(), "get", api::payment_route_resource, route_key).message();
    const kube::object_key request_key{of.ns, api::registration_name(of.name)};
    const auto request = co_await server.get(api::registration_request_resource, request_key);
    if (request && api::is_made_for(**request, out.offer->meta))
        out.registration = *request;
    co_return out;
}

json::object status_data(const status_view& of, const std::string& settings)
{
    json::array hints;
    for (const kube::condition& each : ordered_conditions(*of.offer))
    {
        if (!is_worth_a_hint(each))
            continue;
        const auto what = hint_for(each, *of.offer);
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
    json::object out{
        {"offer", of.offer->raw}, {"ready", ready_of(*of.offer).is_true()}, {"hints", std::move(hints)}};
    if (api::is_held_by_predecessor(of.offer->meta))
        out["heldBy"] = api::predecessors_finalizer;
    if (!of.left_out.empty())
        out["leftOut"] = of.left_out;
    if (!settings.empty())
        out["settings"] = settings;
    return out;
}

void print_problems(
    std::ostream& out,
    bool colour,
    std::span<const kube::object_ptr> offers,
    const operator_settings& settings
)
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
        {
            const std::string left_out = reason.empty() ? settings.why_left_out(each->raw) : std::string();
            out << "  " << printable(each->meta.key().to_string(), longest_key) << ": "
                << printable(left_out.empty() ? ready_of(*each).message : left_out, longest_text) << '\n';
        }
        const auto what = hint_for(ready_of(*all.front()), *all.front());
        if (!what)
            continue;
        out << "  " << wrap("What to do: " + sentence(*what), width, 4) << '\n';
        if (!what->command.empty())
            out << colours.paint(tone::dim, "      " + what->command) << '\n';
    }
}

}  // namespace portitor::cli::sell

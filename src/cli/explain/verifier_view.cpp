#include "cli/explain/verifier_view.hpp"

#include "cli/output/masked.hpp"

#include <portitor/api/ownership.hpp>
#include <portitor/x402/payment_required.hpp>
#include <portitor/x402/words.hpp>

#include <span>

namespace portitor::cli::explain {

namespace json = boost::json;

namespace {

std::string named_facilitator(const std::string& url, const operator_settings& settings)
{
    for (const config::facilitator& each : settings.plan().lists.facilitators.entries)
    {
        if (each.url == url)
            return fmt::format("{} ({})", each.name, masked_url(url));
    }
    return masked_url(url);
}

void answer(explanation& into, unsigned status, std::string_view outcome, std::string words)
{
    into.status = status;
    into.outcome = outcome;
    into.words = std::move(words);
}

}  // namespace

verifier_view::verifier_view(const seen_kind& payment_routes, const operator_settings& settings)
    : seen_(payment_routes), settings_(settings)
{
    const config::operator_lists& lists = settings.plan().lists;
    for (const config::facilitator& each : lists.facilitators.entries)
        facilitators_.insert(each.url);
    std::vector<config::credential_entry> credentials = lists.credentials.entries;
    for (const auto& [key, each] : payment_routes.objects)
    {
        // Who knows no settings takes the routes at their word.
        if (settings.known())
            break;
        facilitators_.insert(kube::string_at(each->spec(), "facilitatorURL"));
        if (const std::string name = kube::string_at(each->spec(), "credential"); !name.empty())
            credentials.push_back({name, {}, {"*"}});
    }
    credentials_ = std::make_unique<route::credential_store>(credentials);
    const route::serving_limits allowed{lists.networks.table, facilitators_, *credentials_};
    for (const auto& [key, each] : payment_routes.objects)
    {
        auto served = each->unreadable.empty() ? route::served_route::compile(*each, allowed)
                                               : fail(errc::invalid, "{}", each->unreadable);
        if (!served)
        {
            const kube::owner_reference* owner = api::owning_offer(each->meta);
            if (owner)
                why_not_served_[key.ns + "/" + owner->name] = served.error().message();
            refused_.push_back(fmt::format("PaymentRoute {}: {}", key.to_string(), served.error().message()));
            continue;
        }
        served_[(*served)->key()] = each;
        auto counters = std::make_shared<route::route_counters>(unused_, (*served)->key());
        table_ = table_.with(std::make_shared<route::table_entry>(route::table_entry{*served, counters}));
    }
    table_ = table_.completed();
}

kube::object_ptr verifier_view::route_of(const std::string& offer) const
{
    const auto at = served_.find(offer);
    return at == served_.end() ? nullptr : at->second;
}

void verifier_view::judge(explanation& into, const std::string& offer) const
{
    if (into.bound)
    {
        into.offer = offer;
        if (const auto found = route::find_bound(table_, offer); !found.entry)
            return say_unknown(into, offer, found.why);
    }
    route::request_path path;
    const std::string uri = into.request.path + (into.request.query.empty() ? "" : "?" + into.request.query);
    if (auto read = route::read_request_path(uri, path); !read)
        return answer(into, 400, "bad_request", read.error().message());
    const route::found_route found =
        into.bound ? route::find_bound(table_, offer) : route::find_by_path(table_, path, into.request.host);
    if (!found.entry)
        return say_unknown(into, {}, found.why);
    const route::served_route& route = *found.entry->route;
    into.offer = route.key();
    if (!into.bound && !seen_.covers_all())
        into.remarks.emplace_back("a PaymentRoute that cannot be seen may hold this path more closely");
    route::circumstances around;
    around.has_credentials = false;
    around.has_token = into.has_token;
    around.method =
        into.request.method == "HEAD" ? std::string_view("GET") : std::string_view(into.request.method);
    const route::ruling said = route::rule_on(route, path, around);
    const route::told words = route::told_of(said.what);
    answer(into, words.status, route::to_string(said.what), std::string(words.words));
    if (!said.price)
        return;
    price(into, route, said, path);
    if (route.credential() != nullptr)
        into.remarks.push_back(fmt::format(
            "as long as the verifier has no value of the credential {}, it answers 503 instead: {}",
            route.credential()->name(),
            route::told_of(route::outcome::no_credential).words
        ));
}

void verifier_view::say_unknown(explanation& into, const std::string& offer, const route::told& why) const
{
    const bool is_visible =
        offer.empty() ? seen_.covers_all() : seen_.covers(offer.substr(0, offer.find('/')));
    if (!is_visible)
        return answer(into, 0, "unknown", "the PaymentRoutes that decide cannot be seen");
    answer(into, why.status, route::to_string(route::outcome::unknown_route), std::string(why.words));
    if (offer.empty())
        return;
    const auto refused = why_not_served_.find(offer);
    into.words = refused == why_not_served_.end() ? "no PaymentRoute of that offer is there"
                                                  : "the verifier serves no such route: " + refused->second;
}

void verifier_view::price(
    explanation& into,
    const route::served_route& route,
    const route::ruling& said,
    const route::request_path& path
) const
{
    const json::object& spec = served_.at(route.key())->spec();
    charge out;
    out.rule = route.rule_of(*said.price);
    out.free = said.price->free;
    out.network = route.network().caip2;
    out.asset = route.token().address;
    out.pay_to = kube::string_at(spec, "payTo");
    out.facilitator_url = named_facilitator(route.facilitator_url(), settings_);
    out.settlement = kube::string_or(spec, "settlement", "beforeResponse");
    out.credential = kube::string_at(spec, "credential");
    out.max_timeout_seconds = kube::int_at(spec, "maxTimeoutSeconds");
    route.append_resource_url(out.resource_url, path, into.gateway_scheme, into.request.host);
    if (!out.free)
    {
        out.amount = said.price->amount_text;
        out.price = x402::amount_in_words(
            said.price->amount, out.network, out.asset, settings_.plan().lists.networks.table
        );
        const x402::requirement_view wanted = route.requirement(*said.price, out.resource_url);
        x402::payment_required told;
        std::string working;
        x402::write_payment_required(told, working, std::span(&wanted, 1), "payment required");
        into.body_402 = std::move(told.body);
        into.header_402 = std::move(told.header_value);
    }
    else
        into.words = "this path is free";
    into.charge = std::move(out);
}

}  // namespace portitor::cli::explain

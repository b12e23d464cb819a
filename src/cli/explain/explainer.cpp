#include "cli/explain/explainer.hpp"

#include "cli/output/masked.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/x402/payment_required.hpp>
#include <portitor/x402/words.hpp>

#include <algorithm>
#include <span>

namespace portitor::cli::explain {

namespace {

namespace json = boost::json;

constexpr std::string_view unbound = "/verify";

std::string offer_of(const kube::object& payment_route)
{
    const kube::owner_reference* owner = api::owning_offer(payment_route.meta);
    return owner ? payment_route.meta.ns + "/" + owner->name : std::string();
}

std::string named_facilitator(const std::string& url, const operator_settings& settings)
{
    for (const config::facilitator& each : settings.plan().lists.facilitators.entries)
    {
        if (each.url == url)
            return fmt::format("{} ({})", each.name, masked_url(url));
    }
    return masked_url(url);
}

}  // namespace

explainer::explainer(
    const market_view& market,
    const operator_settings& settings,
    std::vector<kube::object_ptr> routes,
    std::vector<kube::object_ptr> payment_routes,
    clock::time_point now
)
    : market_(market), settings_(settings), routes_(std::move(routes)), now_(now)
{
    const config::operator_lists& lists = settings.plan().lists;
    for (const config::facilitator& each : lists.facilitators.entries)
        facilitators_.insert(each.url);
    std::vector<config::credential_entry> credentials = lists.credentials.entries;
    for (const kube::object_ptr& each : payment_routes)
    {
        // Who knows no settings takes the routes at their word.
        if (settings.known())
            continue;
        facilitators_.insert(kube::string_at(each->spec(), "facilitatorURL"));
        if (const std::string name = kube::string_at(each->spec(), "credential"); !name.empty())
            credentials.push_back({name, {}, {"*"}});
    }
    credentials_ = std::make_unique<route::credential_store>(credentials);
    const route::serving_limits allowed{lists.networks.table, facilitators_, *credentials_};
    for (const kube::object_ptr& each : payment_routes)
    {
        const std::string offer = offer_of(*each);
        auto served = route::served_route::compile(*each, allowed);
        if (!served)
        {
            refused_[offer] = served.error().message();
            continue;
        }
        payment_routes_[(*served)->key()] = each;
        auto counters = std::make_shared<route::route_counters>(unused_, (*served)->key());
        table_ = table_.with(std::make_shared<route::table_entry>(route::table_entry{*served, counters}));
    }
    table_ = table_.completed();
}

result<explanation>
explainer::explain(const std::string& written, const std::string& host, const std::string& method) const
{
    auto request = read_target(written);
    if (!request)
        return request.error();
    explanation out;
    out.asked = written;
    out.request = std::move(*request);
    out.request.method = method;
    if (!host.empty())
        out.request.host = host;
    if (const auto known = http::parse_url(settings_.plan().gateway.public_url);
        out.request.host.empty() && known)
    {
        out.request.host = known->origin.authority();
        out.remarks.push_back("the host is that of the operator's public URL");
    }
    if (out.request.host.empty())
        out.remarks.push_back("no host was named: only routes without host names are looked at");
    auto forwarded = as_gateway_forwards(out.request.path);
    if (forwarded)
    {
        const auto escaped = as_gateway_forwards(as_careful_clients_send(out.request.path));
        if (escaped && *escaped != *forwarded)
            out.remarks.push_back(
                fmt::format("a client that escapes what a URL may not hold is read otherwise: {}", *escaped)
            );
        if (*forwarded != out.request.path)
            out.remarks.push_back(fmt::format("the gateway reads the path as {}", *forwarded));
        out.request.path = std::move(*forwarded);
        follow_gateway(out);
        add_remarks(out);
        return out;
    }
    out.status = 400;
    out.outcome = "gateway";
    out.words = forwarded.error().message();
    return out;
}

void explainer::follow_gateway(explanation& into) const
{
    into.candidates = find_candidates(routes_, into.request, settings_.plan());
    for (std::size_t i = 0; i < into.candidates.size(); ++i)
    {
        candidate& each = into.candidates[i];
        std::string missing;
        const std::string gate = gate_of(each, missing);
        if (!missing.empty() && each.not_served.empty())
            each.not_served = fmt::format("its Middleware {} is missing", missing);
        if (!each.applies() || into.taken)
            continue;
        into.taken = i;
        if (gate.empty())
        {
            into.unpaid = true;
            into.outcome = "gateway";
            into.words = fmt::format(
                "HTTPRoute {} passes it on to {} without asking the gate",
                each.route.to_string(),
                fmt::join(each.backends, ", ")
            );
        }
        else
            judge(into, gate == unbound ? std::string() : gate);
    }
    if (into.taken)
        return;
    into.outcome = "gateway";
    into.status = 404;
    into.words = "no HTTPRoute of the Gateway takes it: the gateway itself answers 404";
}

/// "namespace/offer" that the verifier is asked for, or "/verify"; empty: nobody is asked.
std::string explainer::gate_of(const candidate& which, std::string& missing) const
{
    const std::string& verifier = settings_.plan().gateway.verifier_url;
    for (const std::string& name : which.middlewares)
    {
        const auto found = market_.of(offer::child_kind::middleware).objects().find({which.route.ns, name});
        if (!found)
        {
            missing = name;
            return {};
        }
        const auto url = http::parse_url(kube::string_at(found->spec(), "forwardAuth.address"));
        if (!url ||
            (settings_.known() && !verifier.empty() &&
             !kube::string_at(found->spec(), "forwardAuth.address").starts_with(verifier + "/verify")))
            continue;
        if (url->target == unbound)
            return std::string(unbound);
        if (url->target.starts_with("/verify/"))
            return url->target.substr(std::string_view("/verify/").size());
    }
    return {};
}

void explainer::judge(explanation& into, const std::string& bound_to) const
{
    const auto answer = [&](unsigned status, const char* outcome, std::string words) {
        into.status = status;
        into.outcome = outcome;
        into.words = std::move(words);
    };
    into.bound = !bound_to.empty();
    route::entry_ptr entry;
    if (into.bound)
    {
        into.offer = bound_to;
        entry = table_.find(bound_to);
        if (!entry)
            return answer(
                503,
                "unknown_route",
                refused_.contains(bound_to) ? "the verifier serves no such route: " + refused_.at(bound_to)
                                            : std::string("no PaymentRoute of that offer is there")
            );
    }
    route::request_path path;
    const std::string uri = into.request.path + (into.request.query.empty() ? "" : "?" + into.request.query);
    if (auto read = route::read_request_path(uri, path); !read)
        return answer(400, "bad_request", read.error().message());
    if (!into.bound)
        entry = table_.find_by_path(path, into.request.host);
    if (!entry)
        return answer(403, "unknown_route", "no route, or more than one, holds this path");
    into.offer = entry->route->key();
    const route::ruling said = route::rule_on(*entry->route, path, false);
    const route::told words = route::told_of(said.what);
    answer(words.status, route::to_string(said.what), std::string(words.words));
    if (said.price)
        price(into, *entry->route, said, path);
}

void explainer::price(
    explanation& into,
    const route::served_route& route,
    const route::ruling& said,
    const route::request_path& path
) const
{
    const json::object& spec = payment_routes_.at(route.key())->spec();
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
    route.append_resource_url(
        out.resource_url, path, into.request.scheme.empty() ? "http" : into.request.scheme, into.request.host
    );
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

void explainer::add_remarks(explanation& into) const
{
    if (!into.request.query.empty())
        into.remarks.push_back("the query decides neither route nor price");
    if (into.request.method == "OPTIONS")
        into.remarks.push_back(
            "a preflight of a page that the operator's cors-origins lets in passes without payment"
        );
    if (into.taken && *into.taken + 1 < into.candidates.size())
    {
        const candidate& first = into.candidates[*into.taken];
        const candidate& next = into.candidates[*into.taken + 1];
        if (next.applies() && next.priority == first.priority && next.route != first.route)
            into.remarks.push_back(fmt::format(
                "HTTPRoute {} has the same priority: which of the two answers may change at any reload",
                next.route.to_string()
            ));
    }
    const std::size_t slash = into.offer.find('/');
    if (slash == std::string::npos)
        return;
    const auto known = market_.offers().find({into.offer.substr(0, slash), into.offer.substr(slash + 1)});
    if (known == market_.offers().end())
    {
        into.remarks.push_back("the ServiceOffer itself is not there, or not seen");
        return;
    }
    const offer::record_ptr& offer = known->second;
    for (const std::string_view type : api::condition_type::needed_for_ready)
    {
        const kube::condition* said = offer->status.find_present(type, offer->meta.generation);
        if (!said || !said->is_true())
            into.remarks.push_back(fmt::format(
                "{} is {}{}",
                type,
                said ? said->status : "not known yet",
                said ? fmt::format(" ({}): {}", said->reason, said->message) : ""
            ));
    }
    const auto live = payment_routes_.find(into.offer);
    if (live != payment_routes_.end() && !kube::bool_at(live->second->status(), "admitted"))
        into.remarks.push_back("no verifier has admitted the PaymentRoute in its present form yet");
}

}  // namespace portitor::cli::explain

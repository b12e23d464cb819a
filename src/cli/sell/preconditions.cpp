#include "cli/sell/preconditions.hpp"

#include "cli/cluster/market_view.hpp"
#include "cli/offer_schema.hpp"
#include "cli/sell/terms_words.hpp"
#include "cli/sell/upstream_check.hpp"
#include "offer/draft.hpp"
#include "offer/hosts.hpp"
#include "offer/naming.hpp"
#include "offer/plan.hpp"
#include "offer/price.hpp"
#include "offer/terms.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>

#include <algorithm>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;
namespace because = api::because;

namespace {

// The most that any token has: an amount that is wrong for this one is wrong for all.
constexpr unsigned most_decimals = 18;

/// Whether it follows from the operator's lists: nobody can tell without them.
bool is_about_lists(std::string_view reason)
{
    return reason == because::unknown_network.name || reason == because::unknown_asset.name ||
           reason == because::unknown_facilitator.name || reason == because::unknown_credential.name;
}

const char* about_of(std::string_view reason)
{
    if (reason == because::invalid_price.name)
        return "price";
    if (reason == because::unknown_network.name)
        return "network";
    if (reason == because::wrong_checksum.name)
        return "address";
    if (reason == because::timeout_too_short.name)
        return "timeout";
    if (reason == because::too_many_offers.name)
        return "limit";
    if (reason == because::not_sold.name)
        return "fields";
    if (reason == because::unknown_asset.name || reason == because::unsupported_asset.name)
        return "token";
    if (reason == because::path_conflict.name || reason == because::reserved_path.name)
        return "path";
    if (reason == because::host_not_allowed.name)
        return "hostname";
    if (reason == because::cross_namespace_upstream.name || reason == because::external_name_upstream.name)
        return "upstream";
    return "sale";
}

void check_terms(const api::service_offer& offer, const operator_settings& settings, findings& into)
{
    api::payment_route terms;
    const auto wrong = offer::fill_terms(offer, settings.plan(), terms);
    if (!wrong)
    {
        into.add(finding_level::ok, "price", price_in_words(terms, settings.plan().lists.networks.table));
        return;
    }
    if (wrong->reason != because::invalid_price.name)
    {
        const auto price = offer::price_of(offer.payment.price, most_decimals, "spec.payment.price");
        if (!price)
            into.add(finding_level::error, "price", price.error().message());
    }
    if (is_about_lists(wrong->reason) && !settings.known())
        into.add(
            finding_level::warning,
            about_of(wrong->reason),
            wrong->message + " (judged by what is built in, as the operator's settings are not known)"
        );
    else
        into.add(finding_level::error, about_of(wrong->reason), wrong->message);
}

bool sees_grants(const market_view& view)
{
    return std::none_of(view.unseen().begin(), view.unseen().end(), [](const std::string& each) {
        return each.starts_with(api::reference_grant_resource.kind);
    });
}

/// Whether the host is the namespace's by labels that nobody has seen.
bool depends_on_labels(const offer::observation& seen, const operator_settings& settings)
{
    const api::service_offer& offer = *seen.offer->spec;
    const std::string host = offer::own_host(offer, settings.plan());
    return offer::right_to_host(host, offer.meta.ns, seen.home.get(), settings.plan()) ==
           offer::host_right::unknown;
}

/// Whether what was not seen might say otherwise.
bool may_be_otherwise(
    std::string_view reason,
    const market_view& view,
    const offer::observation& seen,
    const operator_settings& settings
)
{
    return (reason == because::cross_namespace_upstream.name && !sees_grants(view)) ||
           (reason == because::host_not_allowed.name &&
            (!settings.known() || depends_on_labels(seen, settings)));
}

/// What can be said of host and path without a cluster.
void check_place(
    const kube::object& offer, const operator_settings& settings, clock::time_point now, findings& into
)
{
    offer::observation seen;
    seen.offer = offer::offer_record::read(offer);
    // Nobody can say that it is not so.
    seen.upstream_granted = true;
    const auto blocked = offer::make_plan(seen, settings.plan(), now).blocked;
    if (blocked && blocked->condition == api::condition_type::route_published)
        into.add(
            blocked->reason == because::reserved_path.name ||
                    (settings.known() && !depends_on_labels(seen, settings))
                ? finding_level::error
                : finding_level::warning,
            about_of(blocked->reason),
            blocked->message
        );
}

/// What comes after the terms: the place, names that are taken, ways around the gate.
void check_sale(
    const market_view& view,
    const offer::record_ptr& offer,
    const operator_settings& settings,
    clock::time_point now,
    findings& into
)
{
    const offer::observation seen = view.observe(offer);
    const offer::plan todo = offer::make_plan(seen, settings.plan(), now);
    const api::service_offer& spec = *offer->spec;
    if (todo.blocked && todo.blocked->condition == api::condition_type::payment_gate_ready &&
        todo.blocked->reason != because::name_taken.name)
        // Told by check_terms(); what would come after it is not looked at.
        return;
    if (!offer->unsupported.empty() && !offer->unsupported.front().withholds)
        into.add(finding_level::warning, "fields", offer::told_unsupported(offer->unsupported, false));
    if (api::is_held_by_predecessor(offer->meta))
        into.add(
            finding_level::warning,
            "sale",
            fmt::format(
                "the predecessor's controller holds the offer ({}), so it is not sold here until that "
                "finalizer goes",
                api::predecessors_finalizer
            )
        );
    else if (!todo.blocked)
    {
        into.add(finding_level::ok, "path", offer::endpoint_of(spec, settings.plan()) + " is available");
        if (seen.verifier_ready && !*seen.verifier_ready)
            into.add(
                finding_level::warning, "verifier", "no verifier is ready: nothing is sold before one is"
            );
    }
    else if (todo.blocked->reason == because::drained.name)
        into.add(
            finding_level::warning,
            "sale",
            fmt::format(
                "the offer was stopped, and stays so; portitor sell resume {} sells it again", spec.meta.name
            )
        );
    else
        into.add(
            may_be_otherwise(todo.blocked->reason, view, seen, settings) ? finding_level::warning
                                                                         : finding_level::error,
            about_of(todo.blocked->reason),
            todo.blocked->message
        );
    for (const std::string& each : view.unseen())
        into.add(finding_level::not_checked, "cluster", each);
}

asio::awaitable<void> check_market(
    roles::process around,
    kube::api& server,
    const operator_settings& settings,
    json::object wanted,
    findings& into
)
{
    market_view::request what;
    const kube::object_key key{
        kube::string_at(wanted, "metadata.namespace"), kube::string_at(wanted, "metadata.name")};
    what.namespaces = {key.ns};
    what.offers.push_back(std::move(wanted));
    auto view = co_await market_view::read(around, server, settings.plan(), std::move(what));
    if (!view)
    {
        into.add(finding_level::not_checked, "path", view.error().message());
        co_return;
    }
    const auto at = (*view)->offers().find(key);
    if (at != (*view)->offers().end() && at->second->spec)
        check_sale(**view, at->second, settings, around.clock.now(), into);
}

/// What the API server would add to a new object, and what tells it from the live one.
void complete(json::object& offer, bool is_new, clock::time_point now)
{
    json::object& meta = offer["metadata"].as_object();
    if (!meta.contains("uid"))
        meta["uid"] = "00000000-0000-0000-0000-000000000000";
    if (!meta.contains("generation"))
        meta["generation"] = 1;
    meta["resourceVersion"] = "preview";
    // Whoever is there has the path before one who is not, whatever the clocks say.
    if (is_new)
        meta["creationTimestamp"] = to_rfc3339(now + std::chrono::hours(24));
}

/// The offer, or what is wrong with it among the findings.
std::optional<api::service_offer> read(const json::object& wanted, findings& into)
{
    const auto object = kube::parse_object(wanted);
    auto offer = object ? api::parse_service_offer(**object) : result<api::service_offer>(object.error());
    if (offer)
        return std::move(*offer);
    into.add(finding_level::error, "offer", offer.error().message());
    return std::nullopt;
}

/// What the operator's selector leaves out is written, and then nobody looks at it.
void check_labels(const json::object& offer, const operator_settings& settings, findings& into)
{
    const std::string why = settings.why_left_out(offer);
    if (!why.empty())
        into.add(finding_level::error, "labels", why + ": --label KEY=VALUE");
}

}  // namespace

findings check_schema(const json::object& wanted)
{
    findings out;
    for (std::string& each : problems_of(wanted))
        out.add(finding_level::error, "offer", std::move(each));
    return out;
}

findings check_alone(const json::object& wanted, const operator_settings& settings, clock::time_point now)
{
    findings out = check_schema(wanted);
    // What is wrong with the spec is told once; a name says nothing of the terms.
    const bool has_good_spec = std::none_of(out.all().begin(), out.all().end(), [](const finding& each) {
        return each.words.starts_with("spec");
    });
    if (!has_good_spec)
        return out;
    check_labels(wanted, settings, out);
    if (const auto offer = read(wanted, out))
    {
        check_terms(*offer, settings, out);
        check_place(**kube::parse_object(wanted), settings, now, out);
    }
    return out;
}

asio::awaitable<findings> check_offer(
    roles::process around,
    kube::api& server,
    const operator_settings& settings,
    json::object wanted,
    bool is_new
)
{
    findings out;
    complete(wanted, is_new, around.clock.now());
    const auto offer = read(wanted, out);
    if (!offer)
        co_return out;
    check_labels(wanted, settings, out);
    check_terms(*offer, settings, out);
    co_await check_upstream(server, offer->upstream, out);
    co_await check_market(around, server, settings, std::move(wanted), out);
    co_return out;
}

}  // namespace portitor::cli::sell

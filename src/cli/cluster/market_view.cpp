#include "cli/cluster/market_view.hpp"

#include "offer/watch_filters.hpp"
#include "roles/kube_connection.hpp"
#include "roles/served_schema.hpp"

#include <portitor/api/resources.hpp>

#include <algorithm>

namespace portitor::cli {

namespace asio = boost::asio;
namespace json = boost::json;

using kube::object_informer;
using offer::child_kind;

namespace {

/// Those Middlewares that come in the list of all others.
bool is_read_with_others(child_kind kind)
{
    const auto& all = offer::optional_middlewares;
    return std::find(all.begin(), all.end(), kind) != all.end();
}

std::string_view unknown_without(child_kind kind)
{
    switch (kind)
    {
    case child_kind::payment_route:
        return "whether offers are admitted is not known";
    case child_kind::middleware:
    case child_kind::cors:
    case child_kind::in_flight:
    case child_kind::rate:
        return "Middlewares are taken as not there";
    case child_kind::http_route:
        return "HTTPRoutes, and ways around the gate, are taken as not there";
    case child_kind::registration:
        return "registrations are taken as not there";
    }
    return {};
}

}  // namespace

market_view::market_view(
    const roles::process& around,
    kube::api& server,
    const offer::plan_settings& settings,
    const offer::offer_selection& selection,
    const request& what
)
    : env_(roles::environment_of(around, server)), bounds_{.stop = &around.stop}, settings_(settings),
      selected_(selection.watched()), namespaces_(what.namespaces)
{
    offers_ = std::make_unique<kube::informer<offer::offer_record>>(
        env_,
        api::service_offer_resource,
        selected_,
        selection.decoder(),
        kube::watch_options(),
        selection.stand_in()
    );
    const auto keep = [&](const kube::resource& kind) {
        kept_.push_back(std::make_unique<object_informer>(env_, kind, kube::selection()));
        return kept_.back().get();
    };
    for (const offer::child_type& each : offer::child_types)
    {
        if (!is_read_with_others(each.kind))
            children_[each.kind] = keep(each.resource);
    }
    for (const child_kind kind : offer::optional_middlewares)
        children_[kind] = children_[child_kind::middleware];
    grants_ = keep(api::reference_grant_resource);
    services_ = keep(api::service_resource);
    endpoints_ = keep(api::endpoint_slice_resource);
    namespaces_seen_ = keep(api::namespace_resource);
    market_.emplace(
        offer::market::kinds{*offers_, children_, *grants_, *services_, namespaces_seen_}, settings_
    );
}

asio::awaitable<result<std::unique_ptr<market_view>>> market_view::read(
    roles::process around, kube::api& server, const offer::plan_settings& settings, request what
)
{
    const auto selection = offer::offer_selection::parse(what.offer_selector);
    if (!selection)
        co_return selection.error().within("--offer-selector");
    std::unique_ptr<market_view> view(new market_view(around, server, settings, *selection, what));
    auto filled = co_await view->fill(settings, std::move(what.offers));
    if (!filled)
        co_return filled.error();
    co_return std::move(view);
}

asio::awaitable<result<void>>
market_view::fill(const offer::plan_settings& settings, std::vector<json::object> instead)
{
    auto listed = co_await list_offers();
    if (!listed)
        co_return listed;
    if (auto served = co_await roles::ask_served_schema(env_.server))
        served_ = std::move(*served);
    for (json::object& each : instead)
    {
        auto taken = offers_->feed().on_upsert(std::move(each), {});
        if (!taken)
            co_return taken;
    }
    drop_others();
    for (const offer::child_type& each : offer::child_types)
    {
        if (is_read_with_others(each.kind))
            continue;
        co_await look(*children_[each.kind], offer::child_selection(each.kind), unknown_without(each.kind));
    }
    co_await look(
        *grants_,
        offer::filtered(offer::own_kind_filter()),
        "upstreams of other namespaces are taken as not granted"
    );
    co_await look(*services_, offer::filtered(offer::service_filter()), "none is taken for an ExternalName");
    if (const kube::object_key& service = settings.gateway.verifier_service; !service.name.empty())
        co_await look(
            *endpoints_, offer::endpoint_selection(service), "whether a verifier is ready is not known"
        );
    if (settings.gateway.hosts.needs_labels())
        co_await look_at_namespaces();
    // What was cut short must not be taken for what there is.
    if (bounds_.stop->requested())
        co_return fail(errc::canceled, "interrupted while the cluster was being read");
    const clock::time_point now = env_.clock.now();
    for (const auto& [key, each] : offers())
        market_->update_path({nullptr, each}, now);
    // Who is beyond the namespace's limit, and asks for no place, is known only now.
    for (const auto& [key, each] : offers())
        market_->update_path({each, each}, now);
    co_return result<void>();
}

// Those that the controller has nothing to do with.
void market_view::drop_others()
{
    for (const auto& [key, each] : offers())
    {
        if (!each->is_ours())
            left_out_.push_back(key);
    }
    for (const kube::object_key& each : left_out_)
        offers_->feed().on_removal(each);
}

// Who may not list everywhere sees the offers that he asks for, and less of who else wants their places.
asio::awaitable<result<void>> market_view::list_offers()
{
    auto all = co_await kube::list_all(
        env_.server, api::service_offer_resource, parts(selected_), offers_->feed(), bounds_
    );
    if (!all && all.error().http_status() == 403 && !namespaces_.empty())
    {
        unseen_.push_back(fmt::format(
            "offers of other namespaces than {}: conflicts with them are not known",
            fmt::join(namespaces_, ", ")
        ));
        everywhere_ = false;
        all = co_await kube::list_all(
            env_.server, api::service_offer_resource, parts(selected_), offers_->feed(), bounds_
        );
    }
    if (all)
        co_return result<void>();
    if (all.error().is_not_found())
        co_return fail(
            errc::not_found,
            "the cluster does not know ServiceOffers ({}): install Portitor's custom resources first",
            api::service_offer_resource.api_version()
        );
    co_return all.error().to_error().within("listing ServiceOffers");
}

asio::awaitable<void>
market_view::look(object_informer& into, kube::selection which, std::string_view unknown)
{
    const kube::resource kind = into.kind();
    const auto all = co_await kube::list_all(env_.server, kind, parts(which), into.feed(), bounds_);
    if (!all)
        unseen_.push_back(fmt::format(
            "{}s {}: {}",
            kind.kind,
            all.error().is_not_found() ? "are not known to the cluster"
                                       : "cannot be read (" + all.error().message() + ")",
            unknown
        ));
}

asio::awaitable<void> market_view::look_at_namespaces()
{
    const auto all = co_await kube::list_all(
        env_.server,
        api::namespace_resource,
        {offer::filtered(offer::namespace_filter())},
        namespaces_seen_->feed(),
        bounds_
    );
    if (!all && !co_await look_at_own_namespaces())
        unseen_.push_back(fmt::format(
            "Namespaces cannot be read ({}): which hosts they may have by their labels is not known",
            all.error().message()
        ));
}

// Whoever has a role in a namespace may read that one, and seldom all. False where one of them cannot be
// read.
asio::awaitable<bool> market_view::look_at_own_namespaces()
{
    for (const std::string& each : namespaces_)
    {
        const auto found = co_await env_.server.get(api::namespace_resource, {"", each});
        if (!found && found.error().is_not_found())
            continue;
        if (!found || !namespaces_seen_->feed().on_upsert(boost::json::object((*found)->raw), {}))
            co_return false;
    }
    co_return !namespaces_.empty();
}

std::vector<kube::selection> market_view::parts(const kube::selection& of) const
{
    std::vector<kube::selection> out;
    if (everywhere_ || !of.ns.empty())
        return {of};
    for (const std::string& each : namespaces_)
    {
        out.push_back(of);
        out.back().ns = each;
    }
    return out;
}

const std::map<kube::object_key, offer::record_ptr>& market_view::offers() const
{
    return offers_->objects().all();
}

offer::observation market_view::observe(const offer::record_ptr& offer) const
{
    offer::observation seen = market_->observe(offer);
    if (endpoints_->synced())
        seen.verifier_ready = offer::any_endpoint_ready(*endpoints_);
    seen.served = served_;
    return seen;
}

}  // namespace portitor::cli

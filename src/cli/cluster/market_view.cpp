#include "cli/cluster/market_view.hpp"

#include "offer/watch_filters.hpp"
#include "roles/kube_connection.hpp"

#include <portitor/api/resources.hpp>

namespace portitor::cli {

namespace asio = boost::asio;
namespace json = boost::json;

using kube::object_informer;
using offer::child_kind;

namespace {

std::string_view unknown_without(child_kind kind)
{
    switch (kind)
    {
    case child_kind::payment_route:
        return "whether offers are admitted is not known";
    case child_kind::middleware:
    case child_kind::cors:
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
    const roles::process& around, kube::api& server, const offer::plan_settings& settings, const request& what
)
    : env_(roles::environment_of(around, server)), bounds_{.stop = &around.stop}, settings_(settings),
      selected_(offer::filtered(offer::own_kind_filter())), namespaces_(what.namespaces)
{
    selected_.labels = what.offer_selector;
    offers_ = std::make_unique<kube::informer<offer::offer_record>>(
        env_,
        api::service_offer_resource,
        selected_,
        &offer::offer_record::decode,
        kube::watch_options(),
        &offer::offer_record::stand_in
    );
    const auto keep = [&](const kube::resource& kind) {
        kept_.push_back(std::make_unique<object_informer>(env_, kind, kube::selection()));
        return kept_.back().get();
    };
    for (const offer::child_type& each : offer::child_types)
    {
        if (each.kind != child_kind::cors)
            children_[each.kind] = keep(each.resource);
    }
    children_[child_kind::cors] = children_[child_kind::middleware];
    grants_ = keep(api::reference_grant_resource);
    services_ = keep(api::service_resource);
    endpoints_ = keep(api::endpoint_slice_resource);
    market_.emplace(offer::market::kinds{*offers_, children_, *grants_, *services_}, settings_);
}

asio::awaitable<result<std::unique_ptr<market_view>>> market_view::read(
    roles::process around, kube::api& server, const offer::plan_settings& settings, request what
)
{
    std::unique_ptr<market_view> view(new market_view(around, server, settings, what));
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
    for (json::object& each : instead)
    {
        auto taken = offers_->feed().on_upsert(std::move(each), {});
        if (!taken)
            co_return taken;
    }
    for (const offer::child_type& each : offer::child_types)
    {
        if (each.kind == child_kind::cors)
            continue;  // read with the other Middlewares
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
    return seen;
}

}  // namespace portitor::cli

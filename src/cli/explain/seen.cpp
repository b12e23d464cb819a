#include "cli/explain/seen.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/list_all.hpp>

namespace portitor::cli::explain {

namespace asio = boost::asio;

namespace {

constexpr kube::resource gateways{"gateway.networking.k8s.io", "v1", "gateways", "Gateway"};

/// A kind, and what follows for the answers where it, or all namespaces of it, cannot be seen.
struct wanted_kind
{
    kube::resource kind;
    std::string_view without;
    std::string_view without_others;
    bool indispensable = false;
};

constexpr wanted_kind offers{
    api::service_offer_resource,
    "how the offers stand is not known",
    "how offers of other namespaces stand is not known",
};
constexpr wanted_kind payment_routes{
    api::payment_route_resource,
    "",
    "prices of other namespaces are not known",
    true,
};
constexpr wanted_kind http_routes{
    api::http_route_resource,
    "",
    "one of another namespace may take a request first",
    true,
};
constexpr wanted_kind middlewares{
    api::middleware_resource,
    "those that Portitor makes are taken as it writes them",
    "those that Portitor makes in other namespaces are taken as it writes them",
};
constexpr wanted_kind grants{
    api::reference_grant_resource,
    "whether routes may lead to other namespaces is not known",
    "whether routes may lead to other namespaces is not known",
};

void take(std::vector<kube::object_ptr> listed, const kube::resource& kind, seen_kind& into, seen& all)
{
    into.listed = true;
    for (kube::object_ptr& each : listed)
    {
        if (!each->unreadable.empty())
        {
            into.has_unreadable = true;
            all.unreadable.push_back(
                fmt::format("{} {}: {}", kind.kind, each->meta.key().to_string(), each->unreadable)
            );
        }
        into.objects.emplace(each->meta.key(), std::move(each));
    }
}

asio::awaitable<result<void>>
look_at(kube::api& server, const wanted_kind& what, const std::string& fallback, seen_kind& into, seen& all)
{
    auto listed = co_await kube::list_objects(server, what.kind, {kube::selection()});
    if (!listed && listed.error().http_status() == 403)
    {
        kube::selection one;
        one.ns = fallback;
        auto again = co_await kube::list_objects(server, what.kind, {one});
        if (again)
        {
            into.only = fallback;
            all.unseen.push_back(fmt::format(
                "{}s of other namespaces than {}: {}", what.kind.kind, fallback, what.without_others
            ));
            listed = std::move(again);
        }
    }
    if (listed)
    {
        take(std::move(*listed), what.kind, into, all);
        co_return result<void>();
    }
    if (listed.error().is_not_found())
        co_return fail(
            errc::not_found,
            "the cluster does not know {}s ({}): install the custom resources first",
            what.kind.kind,
            what.kind.api_version()
        );
    if (listed.error().http_status() == 403)
        co_return fail(
            errc::refused,
            "listing {}s: {}; nor those of namespace {} alone: name one that you may look at with -n",
            what.kind.kind,
            listed.error().message(),
            fallback
        );
    co_return listed.error().to_error().within(fmt::format("listing {}s", what.kind.kind));
}

asio::awaitable<result<void>> look_if_possible(
    kube::api& server, const wanted_kind& what, const std::string& fallback, seen_kind& into, seen& all
)
{
    const auto found = co_await look_at(server, what, fallback, into, all);
    if (!found && what.indispensable)
        co_return found;
    if (!found)
        all.unseen.push_back(
            fmt::format("{}s ({}): {}", what.kind.kind, found.error().message(), what.without)
        );
    co_return result<void>();
}

}  // namespace

kube::object_ptr seen_kind::find(const kube::object_key& key) const
{
    const auto at = objects.find(key);
    return at == objects.end() ? nullptr : at->second;
}

std::string seen_kind::gap() const
{
    if (only)
        return fmt::format("of other namespaces than {}", *only);
    return has_unreadable ? "that could not be read" : listed ? "" : "that cannot be listed";
}

asio::awaitable<result<seen>> look_around(kube::api& server, kube::object_key gateway, std::string fallback)
{
    seen out;
    const std::pair<const wanted_kind&, seen_kind&> kinds[]{
        {offers, out.offers},
        {payment_routes, out.payment_routes},
        {http_routes, out.http_routes},
        {middlewares, out.middlewares},
        {grants, out.grants}};
    for (const auto& [kind, into] : kinds)
    {
        const auto found = co_await look_if_possible(server, kind, fallback, into, out);
        if (!found)
            co_return found.error();
    }
    const auto found = co_await server.get(gateways, gateway);
    if (found)
        out.gateway = *found;
    else
        out.unseen.push_back(fmt::format(
            "Gateway {} ({}): which listeners it has is not known",
            gateway.to_string(),
            found.error().is_not_found() ? "is not there" : found.error().message()
        ));
    co_return out;
}

}  // namespace portitor::cli::explain

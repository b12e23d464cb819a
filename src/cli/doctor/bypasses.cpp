#include "cli/doctor/looking.hpp"
#include "offer/way_around.hpp"

#include <boost/json/array.hpp>

#include <map>
#include <string_view>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr kube::resource ingresses{"networking.k8s.io", "v1", "ingresses", "Ingress"};
constexpr kube::resource ingress_routes{"traefik.io", "v1alpha1", "ingressroutes", "IngressRoute"};

/// By "namespace/service": an offer that sells it.
using sold_services = std::map<std::string, std::string>;

sold_services sold_in(const market_view& market)
{
    sold_services out;
    for (const auto& [key, offer] : market.offers())
    {
        if (!offer->upstream.name.empty())
            out.emplace(offer->upstream.to_string(), key.to_string());
    }
    return out;
}

std::vector<std::string> services_of_ingress(const kube::object& ingress)
{
    std::vector<std::string> out;
    const auto take = [&](const json::object& backend) {
        const std::string name = kube::string_at(backend, "service.name");
        if (!name.empty())
            out.push_back(kube::object_key{ingress.meta.ns, name}.to_string());
    };
    take(kube::object_at(ingress.spec(), "defaultBackend"));
    for (const json::value& rule : kube::array_at(ingress.spec(), "rules"))
    {
        for (const json::value& path : kube::array_at(kube::as_object(rule), "http.paths"))
            take(kube::object_at(kube::as_object(path), "backend"));
    }
    return out;
}

/// Whether one of the Middlewares of a route asks the verifier.
bool asks_verifier(const patient& of, const kube::object& owner, const json::object& route)
{
    for (const json::value& each : kube::array_at(route, "middlewares"))
    {
        const json::object& named = kube::as_object(each);
        const kube::object_key key{
            kube::string_or(named, "namespace", owner.meta.ns), kube::string_at(named, "name")};
        const auto found = of.market->of(offer::child_kind::middleware).objects().find(key);
        if (found && kube::string_at(found->spec(), "forwardAuth.address")
                         .starts_with(of.settings.gateway.verifier_url + "/verify"))
            return true;
    }
    return false;
}

std::vector<std::string> services_of_ingress_route(const patient& of, const kube::object& owner)
{
    std::vector<std::string> out;
    for (const json::value& each : kube::array_at(owner.spec(), "routes"))
    {
        const json::object& route = kube::as_object(each);
        if (asks_verifier(of, owner, route))
            continue;
        for (const json::value& service : kube::array_at(route, "services"))
        {
            const json::object& named = kube::as_object(service);
            if (kube::string_or(named, "kind", "Service") == "Service")
                out.push_back(kube::object_key{
                    kube::string_or(named, "namespace", owner.meta.ns), kube::string_at(named, "name")}
                                  .to_string());
        }
    }
    return out;
}

void tell(
    std::string_view kind,
    const std::vector<std::string>& leads_to,
    const kube::object& by,
    const sold_services& sold,
    std::size_t& found,
    notebook& into
)
{
    for (const std::string& service : leads_to)
    {
        const auto at = sold.find(service);
        if (at == sold.end())
            continue;
        ++found;
        return into.warn(
            fmt::format("{} {}", kind, by.meta.key().to_string()),
            fmt::format("it leads to the Service {}, which the offer {} sells", service, at->second),
            "the controller does not look at this kind: whoever may use it does not pay. Remove it, or sell "
            "from a Service of its own"
        );
    }
}

template <typename Services>
asio::awaitable<void> look_at(
    const patient& of,
    kube::resource kind,
    std::string check,
    sold_services sold,
    Services services_of,
    notebook& into
)
{
    const auto all = co_await list(of.server, kind, {});
    if (!all)
    {
        if (all.error().is_not_found())
            into.ok(check, "the cluster does not know that kind");
        else
            into.unseen(check, all.error(), fmt::format("list {}", kind.plural));
        co_return;
    }
    std::size_t found = 0;
    for (const kube::object_ptr& each : *all)
        tell(kind.kind, services_of(*each), *each, sold, found, into);
    const std::string unseen = left_out(*all);
    if (!unseen.empty())
        into.not_checked(check, unseen);
    else if (found == 0)
        into.ok(check, fmt::format("none of {} leads to what is sold", all->size()));
}

// On another path or host than the offer's: that sells nothing, and gives the Service away all the same.
bool tell_other_way(const patient& of, const offer::offer_record& record, notebook& into)
{
    api::service_offer anywhere = *record.spec;
    anywhere.path = "/";
    anywhere.hostname.clear();
    offer::plan_settings every_host = of.settings;
    every_host.gateway.hosts.written_public = {"*"};
    const auto find = [&of](const kube::object_key& key) {
        return of.market->of(offer::child_kind::middleware).objects().find(key);
    };
    for (const auto& [key, route] : of.market->of(offer::child_kind::http_route).objects().all())
    {
        if (!of.market->may_lead_to(key.ns, record.upstream))
            continue;
        const std::string way = offer::find_way_around(*route, anywhere, every_host, find);
        if (way.empty())
            continue;
        into.warn(
            "HTTPRoutes",
            fmt::format(
                "{} leads to the Service {}, which the offer {} sells, by another path, and asks nobody",
                way,
                record.upstream.to_string(),
                record.meta.key().to_string()
            ),
            "where that is not wanted, take the rule away, or sell from a Service of its own"
        );
        return true;
    }
    return false;
}

void look_at_http_routes(const patient& of, notebook& into)
{
    constexpr const char* check = "HTTPRoutes";
    if (!of.market->of(offer::child_kind::http_route).synced())
        return into.not_checked(check, "they cannot be read (the right to list httproutes)");
    std::size_t found = 0;
    const sold_services sold = sold_in(*of.market);
    for (const auto& [key, record] : of.market->offers())
    {
        const std::string around = of.market->observe(record).way_around;
        if (around.empty())
        {
            // One word a Service is enough.
            if (record->spec && sold.at(record->upstream.to_string()) == key.to_string())
                found += tell_other_way(of, *record, into) ? 1 : 0;
            continue;
        }
        ++found;
        into.failure(
            check,
            fmt::format("{} leads to what the offer {} sells, and asks nobody", around, key.to_string()),
            "the offer is withheld until that rule is gone"
        );
    }
    std::vector<kube::object_ptr> all;
    for (const auto& [key, route] : of.market->of(offer::child_kind::http_route).objects().all())
        all.push_back(route);
    const std::string unseen = left_out(all);
    if (!unseen.empty())
        into.not_checked(check, unseen);
    else if (found == 0)
        into.ok(check, "none leads around a gate");
}

}  // namespace

asio::awaitable<void> examine_bypasses(const patient& of, notebook& into)
{
    if (!of.market)
    {
        into.not_checked("routes of others", of.no_market);
        co_return;
    }
    look_at_http_routes(of, into);
    const sold_services sold = sold_in(*of.market);
    co_await look_at(of, ingresses, "Ingresses", sold, &services_of_ingress, into);
    const auto of_ingress_route = [&of](const kube::object& each) {
        return services_of_ingress_route(of, each);
    };
    co_await look_at(of, ingress_routes, "IngressRoutes", sold, of_ingress_route, into);
}

}  // namespace portitor::cli::doctor

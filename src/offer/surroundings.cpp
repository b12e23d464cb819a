#include "offer/surroundings.hpp"

#include "offer/children.hpp"
#include "offer/gateway_names.hpp"
#include "offer/reference_grant.hpp"
#include "offer/route_precedence.hpp"
#include "offer/way_around.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>

#include <algorithm>
#include <tuple>

namespace portitor::offer {

namespace {

std::vector<std::string> upstream_values(const offer_record& offer)
{
    return {offer.upstream.to_string(), offer.upstream.ns + "/"};
}

// Everything of an offer's that the gateway has a name for.
std::vector<std::string> gateway_names(const offer_record& offer)
{
    std::vector<std::string> out;
    if (!offer.spec)
        return out;
    const auto& upstream = offer.spec->upstream;
    const kube::object_key service{upstream.ns, upstream.service};
    out.push_back(named(gateway_name_of_service(service, upstream.port), service));
    for (const child_kind kind :
         {child_kind::middleware, child_kind::cors, child_kind::in_flight, child_kind::rate})
    {
        const kube::object_key key = type_of(kind).key_for(offer.meta);
        out.push_back(named(gateway_name_of_middleware(key), key));
    }
    return out;
}

std::vector<std::string> gateway_names_of_backends(const kube::object& route)
{
    std::vector<std::string> out;
    for (const route_backend& each : backends_of(route))
        out.push_back(named(each.gateway_name(), each.service));
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

std::vector<std::string> gateway_name_of(const kube::object& middleware)
{
    return {named(gateway_name_of_middleware(middleware.meta.key()), middleware.meta.key())};
}

bool is_child_name(const std::string& name, const std::string& offer)
{
    return std::any_of(child_types.begin(), child_types.end(), [&](const child_type& each) {
        return each.name_of(offer) == name;
    });
}

bool is_older(const offer_record& one, const offer_record& other)
{
    return std::tuple(one.meta.created, one.meta.key()) < std::tuple(other.meta.created, other.meta.key());
}

service_nature nature(const kube::object_ptr& service)
{
    if (!service)
        return service_nature::ordinary;
    const boost::json::object& spec = service->spec();
    if (kube::string_at(spec, "type") == "ExternalName")
        return service_nature::external;
    return kube::object_at(spec, "selector").empty() ? service_nature::by_hand : service_nature::ordinary;
}

}  // namespace

surroundings::surroundings(const kinds& watched, const plan_settings& settings)
    : watched_(watched), settings_(settings), offers_by_service_(watched.offers.add_index(upstream_values)),
      routes_by_backend_(watched.http_routes.add_index(open_backends)),
      routes_by_middleware_(watched.http_routes.add_index(deciding_middlewares)),
      routes_by_path_(watched.http_routes.add_index(matched_paths)),
      offers_by_gateway_name_(watched.offers.add_index(gateway_names)),
      routes_by_gateway_name_(watched.http_routes.add_index(gateway_names_of_backends)),
      middlewares_by_gateway_name_(watched.middlewares.add_index(gateway_name_of))
{}

bool surroundings::may_lead_to(const std::string& from, const kube::object_key& service) const
{
    if (from == service.ns)
        return true;
    const auto& grants = watched_.grants.objects().all();
    for (auto at = grants.lower_bound({service.ns, ""}); at != grants.end(); ++at)
    {
        const auto& [key, grant] = *at;
        if (key.ns != service.ns)
            break;
        if (permits(*grant, from, service.name))
            return true;
    }
    return false;
}

// Made for an offer that there is: what is not as it should be is about to be put right.
bool surroundings::is_kept_true(const kube::object& route) const
{
    const kube::owner_reference* owner = api::owning_offer(route.meta);
    if (!owner || route.meta.name != api::http_route_name(owner->name))
        return false;
    const record_ptr offer = watched_.offers.objects().find({route.meta.ns, owner->name});
    return offer && offer->meta.uid == owner->uid;
}

// Calls `visitor` with those of namespaces that may lead to the Service, until it returns true. A route that
// may not lead there leads nowhere: nobody takes down, or slows down, the offers of another namespace by
// naming its Services in however many routes.
template <typename Visitor>
bool surroundings::any_that_may_lead(
    const std::set<kube::object_key>& routes, const kube::object_key& service, Visitor visitor
) const
{
    for (auto at = routes.begin(); at != routes.end();)
    {
        const std::string ns = at->ns;
        const auto end = routes.lower_bound({ns + '\0', ""});
        const bool may_lead = may_lead_to(ns, service);
        for (; may_lead && at != end; ++at)
        {
            if (visitor(*at))
                return true;
        }
        at = end;
    }
    return false;
}

std::string surroundings::way_around(const api::service_offer& offer) const
{
    const kube::object_key service{offer.upstream.ns, offer.upstream.service};
    const middleware_finder find = [this](const kube::object_key& key) {
        return watched_.middlewares.objects().find(key);
    };
    std::string out;
    any_that_may_lead(
        routes_by_backend_.find(service.to_string()),
        service,
        [&](const kube::object_key& key) {
            const kube::object_ptr route = watched_.http_routes.objects().find(key);
            if (route && !is_kept_true(*route))
                out = find_way_around(*route, offer, settings_, find);
            return !out.empty();
        }
    );
    return out;
}

record_ptr surroundings::made_for(const kube::object& child) const
{
    const kube::owner_reference* owner = api::owning_offer(child.meta);
    const record_ptr offer = owner ? watched_.offers.objects().find({child.meta.ns, owner->name}) : nullptr;
    return offer && offer->meta.uid == owner->uid ? offer : nullptr;
}

// What belongs to a younger offer is about to be taken down for its sake: if it is what Portitor makes for
// it, and nobody's finalizer holds it.
bool surroundings::yields_to(const kube::object& child, const offer_record& offer) const
{
    const record_ptr other = made_for(child);
    return other && other->selected && !api::is_held_by_predecessor(other->meta) && !child.meta.deleted &&
           is_child_name(child.meta.name, other->meta.name) && is_older(offer, *other);
}

bool surroundings::has_clashing_service(const offer_record& offer) const
{
    const route_backend ours{
        {offer.spec->upstream.ns, offer.spec->upstream.service}, offer.spec->upstream.port};
    const kube::object_key own = type_of(child_kind::http_route).key_for(offer.meta);
    const kube::object_ptr published = watched_.http_routes.objects().find(own);
    const auto led_to = published ? backends_of(*published) : std::vector<route_backend>();
    const bool is_there = std::find(led_to.begin(), led_to.end(), ours) != led_to.end();
    const std::string name = ours.gateway_name();
    bool out = false;
    const auto look = [&](const std::string& value, const std::set<kube::object_key>& routes) {
        if (out || value == named(name, ours.service))
            return;
        out = any_that_may_lead(routes, whose(value), [&](const kube::object_key& key) {
            const kube::object_ptr route = key == own ? nullptr : watched_.http_routes.objects().find(key);
            return route && !(is_there && yields_to(*route, offer));
        });
    };
    routes_by_gateway_name_.visit(named_so(name), look);
    return out;
}

bool surroundings::has_clashing_middleware(const offer_record& offer) const
{
    bool out = false;
    for (const child_kind kind :
         {child_kind::middleware, child_kind::cors, child_kind::in_flight, child_kind::rate})
    {
        if (!has_middleware(kind, *offer.spec, settings_))
            continue;
        const kube::object_key own = type_of(kind).key_for(offer.meta);
        const bool is_there = watched_.middlewares.objects().find(own) != nullptr;
        const auto look = [&](const std::string&, const std::set<kube::object_key>& all) {
            out = out || std::any_of(all.begin(), all.end(), [&](const kube::object_key& key) {
                      const kube::object_ptr other =
                          key == own ? nullptr : watched_.middlewares.objects().find(key);
                      return other && !(is_there && yields_to(*other, offer));
                  });
        };
        middlewares_by_gateway_name_.visit(named_so(gateway_name_of_middleware(own)), look);
    }
    return out;
}

std::string surroundings::name_clash(const offer_record& offer) const
{
    if (!offer.spec || !is_of_traefik(settings_))
        return {};
    if (has_clashing_service(offer))
        return fmt::format("Service {} of {}", offer.spec->upstream.service, offer.spec->upstream.ns);
    if (has_clashing_middleware(offer))
        return fmt::format("Middleware {} of {}", api::middleware_name(offer.meta.name), offer.meta.ns);
    return {};
}

std::string surroundings::preferred_rule(
    std::string_view offer, std::string_view host, std::string_view path, timekeeper::time_point now
) const
{
    const auto slash = offer.find('/');
    const kube::object_key key{
        std::string(offer.substr(0, slash)), api::http_route_name(offer.substr(slash + 1))};
    const kube::object_ptr own = watched_.http_routes.objects().find(key);
    if (!own)
        return {};
    for (const std::string& above : paths_above(path))
    {
        for (const kube::object_key& each : routes_by_path_.find(above))
        {
            const kube::object_ptr other = each == key ? nullptr : watched_.http_routes.objects().find(each);
            if (!other)
                continue;
            if (auto found = offer::preferred_rule(*other, *own, host, path, settings_); !found.empty())
                return found;
        }
    }
    const auto found = former_.find(now, [&](const kube::object& other) {
        return other.meta.key() == key ? std::string()
                                       : offer::preferred_rule(other, *own, host, path, settings_);
    });
    if (!found.empty())
        return found + ", until some minutes ago";
    return former_.forgotten(now) ? "one of many HTTPRoutes that have changed in the last minutes" : "";
}

void surroundings::note_former_route(kube::object_ptr before, timekeeper::time_point now)
{
    if (!is_kept_true(*before) || !open_backends(*before).empty())
        former_.note(std::move(before), now);
}

void surroundings::add_sellers(const kube::object& route, keys& to) const
{
    for (const std::string& service : open_backends(route))
    {
        const auto slash = service.find('/');
        if (!may_lead_to(route.meta.ns, {service.substr(0, slash), service.substr(slash + 1)}))
            continue;
        const auto& found = offers_by_service_.find(service);
        to.insert(to.end(), found.begin(), found.end());
    }
}

// The offers with something of that name that is not this one.
void surroundings::add_namesakes(const std::string& gateway_name, const kube::object_key& whose, keys& to)
    const
{
    const auto look = [&](const std::string& value, const std::set<kube::object_key>& offers) {
        if (value != named(gateway_name, whose))
            to.insert(to.end(), offers.begin(), offers.end());
    };
    offers_by_gateway_name_.visit(named_so(gateway_name), look);
}

surroundings::keys surroundings::concerned_by_route(const change& of) const
{
    keys out;
    for (const kube::object_ptr& each : {of.before, of.after})
    {
        if (!each)
            continue;
        add_sellers(*each, out);
        for (const route_backend& backend : backends_of(*each))
        {
            if (may_lead_to(each->meta.ns, backend.service))
                add_namesakes(backend.gateway_name(), backend.service, out);
        }
    }
    return out;
}

surroundings::keys surroundings::concerned_by_middleware(const change& of) const
{
    keys out;
    for (const kube::object_key& key : routes_by_middleware_.find(of.key().to_string()))
    {
        if (const kube::object_ptr route = watched_.http_routes.objects().find(key))
            add_sellers(*route, out);
    }
    if (!of.before || !of.after)
        add_namesakes(gateway_name_of_middleware(of.key()), of.key(), out);
    return out;
}

surroundings::keys surroundings::concerned_by_grant(const change& of) const
{
    const auto& found = offers_by_service_.find(of.key().ns + "/");
    return {found.begin(), found.end()};
}

service_nature surroundings::nature_of(const kube::object_key& service) const
{
    return nature(watched_.services.objects().find(service));
}

// Pods come and go behind a Service without a change of it; ports and the like are the gateway's business.
surroundings::keys surroundings::concerned_by_service(const change& of) const
{
    if (nature(of.before) == nature(of.after))
        return {};
    const auto& found = offers_by_service_.find(of.key().to_string());
    return {found.begin(), found.end()};
}

}  // namespace portitor::offer

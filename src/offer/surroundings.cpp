#include "offer/surroundings.hpp"

#include "offer/reference_grant.hpp"
#include "offer/route_precedence.hpp"
#include "offer/way_around.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>

namespace portitor::offer {

namespace {

// Traefik takes changes up within its throttle, two seconds by default.
constexpr std::chrono::seconds followed_within(30);
// More are not kept: nobody fills the memory by changing routes.
constexpr std::size_t most_former = 256;

std::vector<std::string> upstream_values(const offer_record& offer)
{
    return {offer.upstream.to_string(), offer.upstream.ns + "/"};
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
      routes_by_path_(watched.http_routes.add_index(matched_paths))
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

std::string surroundings::way_around(const api::service_offer& offer) const
{
    const kube::object_key service{offer.upstream.ns, offer.upstream.service};
    const middleware_finder find = [this](const kube::object_key& key) {
        return watched_.middlewares.objects().find(key);
    };
    for (const kube::object_key& key : routes_by_backend_.find(service.to_string()))
    {
        const kube::object_ptr route = watched_.http_routes.objects().find(key);
        // A route that may not lead there leads nowhere: nobody takes down the offers of another namespace.
        if (!route || is_kept_true(*route) || !may_lead_to(key.ns, service))
            continue;
        if (std::string found = find_way_around(*route, offer, settings_, find); !found.empty())
            return found;
    }
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
    for (const auto& [when, other] : former_)
    {
        if (when + followed_within < now || other->meta.key() == key)
            continue;
        if (auto found = offer::preferred_rule(*other, *own, host, path, settings_); !found.empty())
            return found + ", until a moment ago";
    }
    return {};
}

void surroundings::note_former_route(kube::object_ptr before, timekeeper::time_point now)
{
    while (!former_.empty() &&
           (former_.size() >= most_former || former_.front().first + followed_within < now))
        former_.pop_front();
    former_.emplace_back(now, std::move(before));
}

void surroundings::add_sellers(const kube::object& route, keys& to) const
{
    for (const std::string& service : open_backends(route))
    {
        const auto& found = offers_by_service_.find(service);
        to.insert(to.end(), found.begin(), found.end());
    }
}

surroundings::keys surroundings::concerned_by_route(const change& of) const
{
    keys out;
    for (const kube::object_ptr& each : {of.before, of.after})
    {
        if (each)
            add_sellers(*each, out);
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

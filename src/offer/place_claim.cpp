#include "offer/place_claim.hpp"

#include "offer/draft.hpp"
#include "offer/gate_trial.hpp"
#include "offer/hosts.hpp"
#include "offer/way_around.hpp"

#include <portitor/api/ownership.hpp>

#include <boost/json/array.hpp>

namespace portitor::offer {

namespace {

// The place that a route of ours publishes, as place_among() has it.
place published_place(const kube::object& route, const plan_settings& settings)
{
    const auto& hosts = kube::array_at(route.spec(), "hostnames");
    const auto& rules = kube::array_at(route.spec(), "rules");
    static const boost::json::object none;
    const boost::json::object& rule = rules.empty() ? none : kube::as_object(rules.front());
    const auto& matches = kube::array_at(rule, "matches");
    place out;
    if (hosts.size() == 1 && hosts.front().is_string())
        out.host = std::string_view(hosts.front().get_string());
    out.path = normal_path(
        matches.empty() ? std::string("/") : kube::string_at(kube::as_object(matches.front()), "path.value")
    );
    return place_among(std::move(out), settings);
}

}  // namespace

// By its spec an offer is at once where it asks to be, and what it may not have it must not keep from others.
bool is_published(const observation& seen, const plan_settings& settings)
{
    const kube::object* route = seen.children[child_kind::http_route].own();
    return route && !is_trial_route(*route) && is_attached(*route, settings) && seen.offer->is_ours() &&
           published_place(*route, settings) == place_among(seen.offer->where, settings);
}

bool asks_for_place(observation seen, const plan_settings& settings, clock::time_point now)
{
    if (is_published(seen, settings))
        return true;
    const kube::object_meta& meta = seen.offer->meta;
    if (!seen.offer->selected || meta.deleted || api::is_held_by_predecessor(meta))
        return false;
    seen.path_owner.clear();
    return !make_draft(seen, settings, now).blocked;
}

}  // namespace portitor::offer

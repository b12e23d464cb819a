#include "offer/market.hpp"

#include "offer/drain.hpp"
#include "offer/hosts.hpp"

#include <portitor/api/ownership.hpp>

namespace portitor::offer {

market::market(const kinds& stores, const plan_settings& settings)
    : stores_(stores), settings_(settings), around_(
                                                surroundings::kinds{
                                                    stores.offers,
                                                    *stores.children[child_kind::http_route],
                                                    *stores.children[child_kind::middleware],
                                                    stores.grants},
                                                settings
                                            )
{}

child_finder market::find_child() const
{
    return [this](child_kind kind, const kube::object_key& key) {
        return stores_.children[kind]->objects().find(key);
    };
}

market::keys market::update_path(const kube::change<offer_record>& of, clock::time_point now)
{
    if (!of.after)
        return paths_.update(of, std::nullopt);
    place asked = place_among(of.after->where, settings_);
    const bool given_up = has_given_up_place(*of.after, asked, now);
    return paths_.update(of, given_up ? std::nullopt : std::optional(std::move(asked)));
}

// Who may not have a host keeps nobody from it, once nothing is published there.
bool market::has_given_up_place(const offer_record& offer, const place& asked, clock::time_point now) const
{
    const kube::object_key name = type_of(child_kind::http_route).key_for(offer.meta);
    const kube::object_ptr live = stores_.children[child_kind::http_route]->objects().find(name);
    if (offer::has_given_up_place(offer, live, now))
        return true;
    if (asked.host.empty() || (live && api::is_made_for(*live, offer.meta)))
        return false;
    return right_to_host(asked.host, offer.meta.ns, home_of(offer).get(), settings_) != host_right::allowed;
}

kube::object_ptr market::home_of(const offer_record& offer) const
{
    return stores_.namespaces ? stores_.namespaces->objects().find({"", offer.meta.ns}) : nullptr;
}

market::keys market::concerned_by_namespace(const kube::change<kube::object>& of) const
{
    keys out;
    const std::string& name = of.key().name;
    const auto& all = stores_.offers.objects().all();
    for (auto at = all.lower_bound({name, ""}); at != all.end() && at->first.ns == name; ++at)
    {
        if (!at->second->where.host.empty())
            out.push_back(at->first);
    }
    return out;
}

observation market::observe(record_ptr offer) const
{
    const kube::object_key key = offer->meta.key();
    observation seen = glance(std::move(offer));
    const offer_record& what = *seen.offer;
    seen.path_owner = paths_.owner_before(key);
    seen.home = home_of(what);
    if (what.spec)
    {
        seen.way_around = around_.way_around(*what.spec);
        seen.upstream_granted = around_.may_lead_to(what.meta.ns, what.upstream);
    }
    return seen;
}

observation market::glance(record_ptr offer) const
{
    observation seen;
    seen.children = find_children(offer->meta, find_child());
    seen.offer = std::move(offer);
    return seen;
}

bool any_endpoint_ready(const kube::object_informer& slices)
{
    for (const auto& [key, slice] : slices.objects().all())
    {
        for (const boost::json::value& each : kube::array_at(slice->raw, "endpoints"))
        {
            if (kube::bool_at(kube::as_object(each), "conditions.ready"))
                return true;
        }
    }
    return false;
}

}  // namespace portitor::offer

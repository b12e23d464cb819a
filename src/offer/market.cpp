#include "offer/market.hpp"

#include "offer/drain.hpp"

#include <portitor/api/ownership.hpp>

namespace portitor::offer {

namespace {

bool is_own_route(const kube::object_ptr& live, const offer_record& offer)
{
    return live && api::is_made_for(*live, offer.meta);
}

}  // namespace

market::market(const kinds& stores, const plan_settings& settings)
    : stores_(stores), ages_(settings.lists.offers.per_namespace),
      around_(
          surroundings::kinds{
              stores.offers,
              *stores.children[child_kind::http_route],
              *stores.children[child_kind::middleware],
              stores.grants,
              stores.services},
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
    keys out = ages_.update(of);
    const keys moved = paths_.update(of, of.after && has_given_up_place(*of.after, now));
    out.insert(out.end(), moved.begin(), moved.end());
    return out;
}

bool market::has_given_up_place(const offer_record& offer, clock::time_point now) const
{
    const kube::object_key route = type_of(child_kind::http_route).key_for(offer.meta);
    const kube::object_ptr live = stores_.children[child_kind::http_route]->objects().find(route);
    return offer::has_given_up_place(offer, live, now) ||
           (ages_.is_beyond(offer) && !is_own_route(live, offer));
}

observation market::observe(record_ptr offer) const
{
    const kube::object_key key = offer->meta.key();
    observation seen = glance(std::move(offer));
    const offer_record& what = *seen.offer;
    seen.path_owner = paths_.owner_before(key);
    seen.path_crowded = paths_.is_crowded(key);
    seen.beyond_limit = ages_.is_beyond(what);
    if (what.spec)
    {
        seen.way_around = around_.way_around(*what.spec);
        seen.upstream_granted = around_.may_lead_to(what.meta.ns, what.upstream);
        seen.service = around_.nature_of(what.upstream);
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

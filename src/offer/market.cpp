#include "offer/market.hpp"

#include "offer/hosts.hpp"
#include "offer/place_claim.hpp"

#include <portitor/api/ownership.hpp>

namespace portitor::offer {

market::market(const kinds& stores, const plan_settings& settings)
    : stores_(stores), settings_(settings), ages_(settings.lists.offers.per_namespace),
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
    keys moved;
    if (of.after)
    {
        const place where = place_among(of.after->where, settings_);
        // Most offers are published, and then nothing else counts.
        const bool published = is_published_now(of.after);
        const clock::time_point since = rights_.note(*of.after, where, published, now);
        const bool asks = published || asks_for_place_now(of.after, now);
        moved = paths_.update(of, asks ? std::optional(where) : std::nullopt, since);
    }
    else
    {
        rights_.forget(of.key());
        moved = paths_.update(of, std::nullopt);
    }
    out.insert(out.end(), moved.begin(), moved.end());
    return out;
}

bool market::is_published_now(const record_ptr& offer) const
{
    const kube::object_key route = type_of(child_kind::http_route).key_for(offer->meta);
    observation seen;
    seen.offer = offer;
    child& published = seen.children[child_kind::http_route];
    published.live = stores_.children[child_kind::http_route]->objects().find(route);
    published.ours = published.live && api::is_made_for(*published.live, offer->meta);
    return is_published(seen, settings_);
}

bool market::asks_for_place_now(const record_ptr& offer, clock::time_point now) const
{
    observation seen = glance(offer);
    look_around(seen);
    return asks_for_place(std::move(seen), settings_, now);
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
    seen.path_owner = paths_.owner_before(key);
    look_around(seen);
    seen.path_crowded = paths_.is_crowded(key);
    return seen;
}

void market::look_around(observation& seen) const
{
    const offer_record& what = *seen.offer;
    if (recall_gate_)
        recall_gate_(seen);
    seen.home = home_of(what);
    seen.beyond_limit = ages_.is_beyond(what);
    if (!what.spec)
        return;
    seen.way_around = around_.way_around(*what.spec);
    seen.name_clash = around_.name_clash(what);
    seen.upstream_granted = around_.may_lead_to(what.meta.ns, what.upstream);
    seen.service = around_.nature_of(what.upstream);
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

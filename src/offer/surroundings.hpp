#pragma once

#include "offer/former_routes.hpp"
#include "offer/observation.hpp"
#include "offer/offer_record.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/api/service_offer.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/informer.hpp>

#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portitor::offer {

/// What others have written that decides whether an offer may be sold: HTTPRoutes that lead around its gate,
/// and ReferenceGrants. And the other way round: which offers a change of those concerns. One strand.
class surroundings
{
public:
    using keys = std::vector<kube::object_key>;
    using change = kube::change<kube::object>;

    /// What is watched, and must outlive this. Before the first object comes: adds indexes.
    struct kinds
    {
        kube::informer<offer_record>& offers;
        kube::object_informer& http_routes;
        kube::object_informer& middlewares;
        kube::object_informer& grants;
        kube::object_informer& services;
    };

    surroundings(const kinds& watched, const plan_settings& settings);

    /// Whether HTTPRoutes of namespace `from` may lead to a Service: one of the same namespace, or one whose
    /// namespace has a ReferenceGrant for it.
    bool may_lead_to(const std::string& from, const kube::object_key& service) const;

    /// Words for the first HTTPRoute that leads around the offer's gate; empty where there is none.
    std::string way_around(const api::service_offer& offer) const;

    /// Words for what of others has the same name for the gateway as something of this offer's, so that it
    /// may answer in its place (gateway_names.hpp); empty where nothing has. Of two offers the one that is
    /// published keeps the name, and of two that are, the older.
    std::string name_clash(const offer_record& offer) const;

    /// Words for a rule of another HTTPRoute that the gateway may prefer to the offer's own (`offer`:
    /// "namespace/name") for a request of this host and path; empty where there is none, and was none in the
    /// time that a gateway may take to follow (former_routes.hpp).
    std::string preferred_rule(
        std::string_view offer, std::string_view host, std::string_view path, timekeeper::time_point now
    ) const;

    /// An HTTPRoute has changed: what it was is remembered for a while, but for what lets nobody through
    /// unpaid.
    void note_former_route(kube::object_ptr before, timekeeper::time_point now);
    /// Who decides where a Service leads.
    service_nature nature_of(const kube::object_key& service) const;

    keys concerned_by_route(const change& of) const;
    keys concerned_by_middleware(const change& of) const;
    keys concerned_by_grant(const change& of) const;
    keys concerned_by_service(const change& of) const;

private:
    using index = kube::object_informer::index;

    bool is_kept_true(const kube::object& route) const;
    record_ptr made_for(const kube::object& child) const;
    bool yields_to(const kube::object& child, const offer_record& offer) const;
    bool has_clashing_service(const offer_record& offer) const;
    bool has_clashing_middleware(const offer_record& offer) const;
    void add_namesakes(const std::string& gateway_name, const kube::object_key& whose, keys& to) const;
    template <typename Visitor>
    bool any_that_may_lead(
        const std::set<kube::object_key>& routes, const kube::object_key& service, Visitor visitor
    ) const;
    void add_sellers(const kube::object& route, keys& to) const;

    kinds watched_;
    const plan_settings& settings_;
    const kube::store<offer_record>::index&
        offers_by_service_;  ///< "namespace/service", and "namespace/" for all of a namespace
    const index& routes_by_backend_;
    const index& routes_by_middleware_;
    const index& routes_by_path_;
    /// By the names that the gateway has for what is theirs: see named().
    const kube::store<offer_record>::index& offers_by_gateway_name_;
    const index& routes_by_gateway_name_;
    const index& middlewares_by_gateway_name_;
    former_routes former_;
};

}  // namespace portitor::offer

#pragma once

#include "offer/market.hpp"
#include "offer/offer_selection.hpp"
#include "roles/controller/memory.hpp"
#include "roles/controller/offer_metrics.hpp"

#include <portitor/core/clock.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/controller.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace portitor::controller {

/// What the controller watches: the stores that offers are judged by, and which offers a change concerns. One
/// strand.
class watches
{
public:
    using keys = std::vector<kube::object_key>;

    struct options
    {
        offer::offer_selection offers;      ///< those to act on
        kube::object_key verifier_service;  ///< whose endpoints count; empty name: none
    };

    /// Told of an HTTPRoute that has changed, in any way.
    using route_listener = std::function<void(const kube::object_key& route)>;
    /// Told of a change of what others have made that may let requests past gates; returns the offers to look
    /// at again.
    using gate_listener = std::function<keys()>;

    /// Adds the watches to `to`, before it runs. All of it must outlive this.
    watches(
        kube::controller& to,
        const options& which,
        const offer::plan_settings& settings,
        const clock& wall,
        const timekeeper& time,
        memory& past,
        offer_metrics& numbers,
        logger log
    );

    kube::informer<offer::offer_record>& offers() { return *offers_; }
    kube::object_informer& of(offer::child_kind kind) { return *children_[kind]; }

    void on_route_change(route_listener hear) { on_route_change_ = std::move(hear); }
    /// Told where a host comes to hosts(), or goes.
    void on_hosts_change(std::function<void()> hear) { on_hosts_change_ = std::move(hear); }

    /// See offer::market::hosts().
    const std::map<std::string, std::size_t>& hosts() const { return market_->hosts(); }

    void on_gate_change(gate_listener hear) { on_gate_change_ = std::move(hear); }

    /// As offer::market::remember_gates_by().
    void remember_gates_by(offer::market::gate_memory recall)
    {
        market_->remember_gates_by(std::move(recall));
    }

    /// As offer::surroundings::preferred_rule(), at this moment.
    std::string preferred_rule(std::string_view offer, std::string_view host, std::string_view path) const;

    /// Time has passed since the offers were heard of: who asks for which place is looked at again.
    void begin();

    /// Looks whether the offer still asks for its place, which changes without an event of the offer.
    void update_path(const offer::record_ptr& offer, clock::time_point now);

    /// Stands in the queue for look_at_endpoints(): offers have a namespace.
    static kube::object_key endpoints_key() { return {"", "endpoints of the verifier"}; }

    /// A verifier that was lost is told of only once it has been gone for some seconds: a restart of its one
    /// replica would have every offer's status written twice. How long to wait, where that is not so yet.
    std::optional<std::chrono::milliseconds> look_at_endpoints();

    /// As offer::market::observe(), with the verifier.
    offer::observation observe(offer::record_ptr offer) const;

    /// As offer::market::glance().
    offer::observation glance(offer::record_ptr offer) const { return market_->glance(std::move(offer)); }

private:
    using change = kube::change<kube::object>;
    using offer_change = kube::change<offer::offer_record>;

    void watch_children(kube::controller& to);
    kube::object_informer* watch_namespaces(kube::controller& to);
    void watch_endpoints(kube::controller& to, const kube::object_key& service);
    keys concerned_by_offer(const offer_change& of);
    keys concerned_by_namespace(const change& of);
    keys concerned_by_gates(const change& of) const;
    void take_endpoints();
    void tell_all_offers();
    keys child_changed(offer::child_kind kind, const change& of);
    keys route_changed(const change& of);
    keys take_place(const offer_change& of, clock::time_point now);
    void update_path_or_later(const offer::record_ptr& offer);

    const offer::plan_settings& settings_;
    const clock& wall_;
    const timekeeper& time_;
    memory& past_;
    offer_metrics& numbers_;
    logger log_;
    kube::work_queue& queue_;
    kube::informer<offer::offer_record>* offers_ = nullptr;
    offer::by_child<kube::object_informer*> children_;
    kube::object_informer* endpoints_ = nullptr;
    bool begun_ = false;
    bool verifier_ready_ = false;                       ///< as the offers are told
    std::optional<timekeeper::time_point> lost_since_;  ///< it is not, and nobody has been told yet
    std::optional<offer::market> market_;
    route_listener on_route_change_;
    std::function<void()> on_hosts_change_;
    std::uint64_t hosts_version_ = 0;  ///< that was told last
    gate_listener on_gate_change_;
};

/// The offers that a child concerns: the one that its controlling owner names or, where somebody has taken
/// that away, its label; before and after the change.
std::vector<kube::object_key> concerned_by_child(const kube::change<kube::object>& of);

}  // namespace portitor::controller

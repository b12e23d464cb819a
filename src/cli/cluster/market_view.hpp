#pragma once

#include "offer/market.hpp"
#include "offer/offer_selection.hpp"
#include "roles/process.hpp"

#include <portitor/kube/list_all.hpp>

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace portitor::cli {

/// The offers of a cluster and all that they are judged by, as they are at one moment: what the controller
/// keeps by watches. Nothing is written. One strand.
class market_view
{
public:
    /// What is looked at.
    struct request
    {
        std::string offer_selector;  ///< label selector of the offers that the controller acts on
        /// Namespaces of the offers that are asked for: looked at alone where all cannot be listed.
        std::vector<std::string> namespaces;
        /// Offers in the place of live ones, or beside them, whole objects with uid and generation.
        std::vector<boost::json::object> offers;
    };

    /// Reads the cluster (which may be a no_cluster). errc of the API server where even the offers cannot be
    /// listed; what else cannot be read is told by unseen(). All must outlive the view.
    static boost::asio::awaitable<result<std::unique_ptr<market_view>>>
    read(roles::process around, kube::api& server, const offer::plan_settings& settings, request what);

    const std::map<kube::object_key, offer::record_ptr>& offers() const;

    /// As a controller that has just started sees it: nothing has been probed or proved yet.
    offer::observation observe(const offer::record_ptr& offer) const;

    /// As offer::surroundings::may_lead_to().
    bool may_lead_to(const std::string& from, const kube::object_key& service) const
    {
        return market_->around().may_lead_to(from, service);
    }

    /// As offer::surroundings::preferred_rule().
    std::string preferred_rule(
        const kube::object_key& offer,
        std::string_view host,
        std::string_view path,
        timekeeper::time_point now
    ) const
    {
        return market_->around().preferred_rule(offer.to_string(), host, path, now);
    }

    const kube::object_informer& of(offer::child_kind kind) const { return *children_[kind]; }

    /// The offers that the operator's selector leaves out.
    const std::vector<kube::object_key>& left_out() const { return left_out_; }

    /// What could not be looked at, and what is not known therefore, one text each.
    const std::vector<std::string>& unseen() const { return unseen_; }

private:
    market_view(
        const roles::process& around,
        kube::api& server,
        const offer::plan_settings& settings,
        const offer::offer_selection& selection,
        const request& what
    );

    boost::asio::awaitable<result<void>>
    fill(const offer::plan_settings& settings, std::vector<boost::json::object> instead);
    boost::asio::awaitable<result<void>> list_offers();
    void drop_others();
    boost::asio::awaitable<void>
    look(kube::object_informer& into, kube::selection which, std::string_view unknown);
    boost::asio::awaitable<void> look_at_namespaces();
    boost::asio::awaitable<bool> look_at_own_namespaces();
    std::vector<kube::selection> parts(const kube::selection& of) const;

    kube::environment env_;
    kube::list_bounds bounds_;  ///< of each kind
    const offer::plan_settings& settings_;
    kube::selection selected_;             ///< the offers that are looked at
    std::vector<std::string> namespaces_;  ///< that are asked for
    bool everywhere_ = true;               ///< else those namespaces alone are looked at
    std::unique_ptr<kube::informer<offer::offer_record>> offers_;
    std::vector<std::unique_ptr<kube::object_informer>> kept_;
    offer::by_child<kube::object_informer*> children_{};
    kube::object_informer* grants_ = nullptr;
    kube::object_informer* services_ = nullptr;
    kube::object_informer* endpoints_ = nullptr;
    kube::object_informer* namespaces_seen_ = nullptr;
    std::optional<offer::market> market_;
    std::vector<kube::object_key> left_out_;
    std::vector<std::string> unseen_;
    api::served_schema served_;
};

}  // namespace portitor::cli

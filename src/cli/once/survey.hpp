#pragma once

#include "cli/cluster/market_view.hpp"
#include "cli/once/cluster_link.hpp"
#include "cli/once/dry_run.hpp"
#include "cli/once/live_offers.hpp"
#include "cli/once/wanted_offer.hpp"

#include <memory>
#include <set>

namespace portitor::cli::once {

/// What one run looks at: the cluster's offers, and those of files in their places. It writes nothing. One
/// strand.
class survey
{
public:
    /// @pre all outlive it, `settings` unchanged
    survey(
        const roles::process& around,
        const options& config,
        const offer::plan_settings& settings,
        cluster_link& link
    )
        : around_(around), config_(config), settings_(settings), link_(link), asker_(*link.server)
    {}

    /// Reads everything. An error is one without which nothing can be said; others go to `into`.
    boost::asio::awaitable<result<void>> read(written_offers files, report* into);

    /// The offers that were asked for, in order; what is not there is told to `into`.
    boost::asio::awaitable<result<std::set<kube::object_key>>> select(report* into);

    /// What there is to say of one of them.
    boost::asio::awaitable<offer_report> look_at(kube::object_key key);

    const market_view& view() const { return *view_; }
    /// What could not be seen or asked so far.
    std::vector<std::string> unseen() const;

private:
    bool asks() const { return link_.is_cluster && !config_.no_dry_run; }
    void pass_over();
    boost::asio::awaitable<void> ask_about_offers();
    boost::asio::awaitable<void> ask_about_children(offer_report* into, const offer::plan* todo);
    const wanted_offer* find_wanted(const kube::object_key& key) const;

    const roles::process& around_;
    const options& config_;
    const offer::plan_settings& settings_;
    cluster_link& link_;
    dry_run asker_;
    std::vector<wanted_offer> wanted_;  ///< by namespace and name
    std::unique_ptr<market_view> view_;
};

}  // namespace portitor::cli::once

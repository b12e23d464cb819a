#pragma once

#include "offer/observation.hpp"
#include "roles/controller/executor.hpp"
#include "roles/controller/repair_budget.hpp"
#include "roles/controller/route_window.hpp"

#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/write_echo.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace portitor::controller {

/// What is known of offers that the API server does not keep: how our own writes to them and to their
/// children went. One strand.
class memory
{
public:
    /// `time` must outlive this.
    explicit memory(const timekeeper& time) : time_(time), echo_(time) {}

    /// How long the echo of our last write to an offer is worth waiting for; see kube::write_echo.
    std::optional<std::chrono::milliseconds> wait_for_echo(const kube::object_meta& offer) const
    {
        return echo_.wait_for(offer);
    }

    /// Adds to what is seen of an offer's children what is remembered of them. From then on it is remembered
    /// who deletes them.
    void recall(offer::observation& seen);

    /// A plan is about to be carried out: the children that it deletes are no news when they go.
    void note_plan(const kube::object_meta& offer, const offer::plan& todo);

    /// Where the offer's HTTPRoute stands among those of its namespace, by a plan that is to be carried out.
    void note_turn(const kube::object_key& offer, const offer::plan& todo);
    /// It has no turn any more.
    void leave_line(const kube::object_key& offer) { window_.leave(offer, time_.now()); }

    /// What became of a plan. @returns offers whose turn it is now
    std::vector<kube::object_key> note_report(const kube::object_key& offer, const executor::report& done);

    /// The gateway has judged that generation of an offer's HTTPRoute; nothing: there is no HTTPRoute any
    /// more.
    /// @returns offers whose turn it is now
    std::vector<kube::object_key>
    note_judged(const kube::object_key& offer, std::optional<std::int64_t> generation)
    {
        return window_.judged(offer, generation, time_.now());
    }

    /// A child is gone; whether somebody else has deleted it is remembered for these offers.
    void note_gone(
        offer::child_kind kind, const kube::object_meta& child, const std::vector<kube::object_key>& offers
    );

    /// Whether this is another text than the last one for the offer: for what is told once.
    bool is_news(const kube::object_key& offer, const std::string& text);

    void forget(const kube::object_key& offer);

private:
    struct of_child
    {
        std::string error;
        bool lost = false;
        bool taken_down = false;
        repair_budget repairs;
    };
    struct of_offer
    {
        offer::by_child<of_child> children;
        words_budget words;
        recovery_budget recoveries;
        std::int64_t generation = 0;      // which been_true is of
        std::set<std::string> been_true;  // types of conditions
        std::string told;
    };

    const timekeeper& time_;
    kube::write_echo echo_;
    route_window window_;
    std::map<kube::object_key, of_offer> offers_;
};

}  // namespace portitor::controller

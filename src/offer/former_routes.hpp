#pragma once

#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/object.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <string>

namespace portitor::offer {

/// HTTPRoutes as they were before they changed or went: a gateway that has much to do still serves by them.
/// Who changes many forgets his own only. One strand.
class former_routes
{
public:
    using time_point = timekeeper::time_point;

    /// For so long a gateway may take to follow: Traefik, which writes five statuses a second before it
    /// serves a change, is seen half a minute late.
    static constexpr std::chrono::minutes kept{10};
    /// Of each namespace: nobody fills the memory by changing routes.
    static constexpr std::size_t most = 64;

    void note(kube::object_ptr before, time_point now);

    /// Words for the first one that `judge` has words for; empty where there is none.
    std::string
    find(time_point now, const std::function<std::string(const kube::object& former)>& judge) const;

    /// Whether there were more in that time than are remembered.
    bool forgotten(time_point now) const { return now < forgotten_until_; }

private:
    struct former
    {
        time_point until;
        kube::object_ptr route;
    };

    std::map<std::string, std::deque<former>> by_namespace_;  ///< the first that goes in front
    time_point forgotten_until_{};
};

}  // namespace portitor::offer

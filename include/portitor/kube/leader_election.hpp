#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/error.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/api_error.hpp>
#include <portitor/kube/lease_record.hpp>
#include <portitor/kube/object.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <map>
#include <random>
#include <string>

namespace portitor::kube {

class api;

/// The defaults are those of client-go. Their distance is what differing clock rates and slow answers may use
/// up: the leader stops after `renew_deadline`, and nobody follows it before `duration`.
struct lease_settings
{
    object_key lease;
    std::string holder;  ///< this process, and no other one: make_holder_identity()
    std::chrono::milliseconds duration =
        std::chrono::seconds(15);  ///< written down in whole seconds, at least
    std::chrono::milliseconds renew_deadline = std::chrono::seconds(10);
    std::chrono::milliseconds retry_period = std::chrono::seconds(2);
};

/// errc::invalid unless duration > renew_deadline > 1.2 × retry_period > 0, and all names are there.
result<void> check(const lease_settings& settings);

/// Elects one process among those that name the same Lease, by the rules of client-go's leaderelection:
///
///     co_await elector.acquire();
///     // start the guarded work
///     const error why = co_await elector.hold();  // beside the work
///     // stop the guarded work
///     co_await elector.release();
///
/// It is no fence: a process that was paused may act for a moment after another one took over, so whatever
/// must not happen twice needs a precondition of its own. After a loss end the process rather than acquire
/// again with half of the old work alive.
///
/// Each request is raced with the time; an api that does not let go of a canceled request delays hold(), but
/// never leading(). One strand. The api, timekeeper, clock and metrics must outlive it.
class leader_elector
{
public:
    /// The settings must have passed check(). `seed` spreads the candidates' retries.
    leader_elector(
        api& server,
        lease_settings settings,
        timekeeper& time,
        const clock& wall,
        logger log,
        metrics& numbers,
        unsigned seed = std::random_device{}()
    );
    leader_elector(const leader_elector&) = delete;
    leader_elector& operator=(const leader_elector&) = delete;

    /// Returns once this process leads; failures of the API server are logged and tried again.
    boost::asio::awaitable<void> acquire();

    /// Renews until leadership is lost, and returns why: errc::timed_out when no renewal succeeded within the
    /// renew deadline of the start of the last one that did, errc::conflict when the lease is not ours any
    /// more. Cancel it at an orderly end, once the guarded work has stopped.
    boost::asio::awaitable<error> hold();

    /// Gives the lease to whoever is next, after the guarded work has stopped. Takes at most five seconds,
    /// never throws, and does nothing to a lease that is not ours. Call it from a coroutine that is not
    /// canceled: in one that is, it ends at once and the others wait for the expiry.
    boost::asio::awaitable<void> release();

    /// Turns false by itself when the renew deadline passes.
    bool leading() const { return leading_ && time_.now() < leads_until_; }

    /// Who held the lease when it was last seen; empty for nobody.
    const std::string& observed_holder() const { return view_.record().holder; }

private:
    using time_point = timekeeper::time_point;

    enum class outcome
    {
        won,       ///< the lease is ours, renewed just now
        not_ours,  ///< it is somebody else's, or nobody's
        conflict,  ///< somebody changed it since it was read
        failed,    ///< the API server refused, failed or did not answer in time
    };

    boost::asio::awaitable<outcome> compete();
    boost::asio::awaitable<outcome> renew();
    boost::asio::awaitable<bool> read(time_point latest);
    boost::asio::awaitable<outcome> claim(time_point latest);
    boost::asio::awaitable<void> give_up(time_point latest);
    boost::asio::awaitable<outcome> vacate(time_point latest);
    boost::asio::awaitable<api_result<object_ptr>>
    bounded(std::string verb, boost::asio::awaitable<api_result<object_ptr>> request, time_point latest);

    bool is_ours() const { return view_.judge(time_.now()) == lease_view::verdict::ours; }
    void saw(object_ptr lease);
    void note(const std::string& verb, const api_error& failure);
    void step_down();
    std::chrono::milliseconds retry_delay();

    api& server_;
    lease_settings settings_;
    std::chrono::seconds written_duration_;
    timekeeper& time_;
    const clock& wall_;
    logger log_;
    gauge& status_;
    std::mt19937 random_;
    lease_view view_;
    bool certain_ = false;   ///< what was seen last is what there is, unless somebody else changed it
    bool may_hold_ = false;  ///< the record may name us
    bool leading_ = false;
    time_point leads_until_ = time_point::min();
    time_point tried_at_ = time_point::min();  ///< when the last round of renewing began
    std::string reported_holder_;
    std::map<std::string, std::string> reported_failures_;  ///< the last kind of each verb
};

/// The identity that survives a restart of the container, so that it goes on at once:
/// The pod's name, from POD_NAME (downward API); outside a pod the host's.
std::string pod_name();

/// <pod name>_<pod uid> from POD_NAME and POD_UID (downward API). Outside a pod the host's name and a random
/// suffix.
std::string make_holder_identity();

}  // namespace portitor::kube

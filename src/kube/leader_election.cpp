#include <portitor/core/deadline.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/leader_election.hpp>

#include <boost/asio/ip/host_name.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace portitor::kube {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::seconds release_limit(5);
constexpr std::chrono::milliseconds release_pause(250);

// Two candidates that start together drift apart: wait.JitterUntil with client-go's JitterFactor.
constexpr double jitter_factor = 1.2;

std::string environment(const char* name)
{
    const char* value = std::getenv(name);
    return value ? value : "";
}

}  // namespace

result<void> check(const lease_settings& settings)
{
    if (settings.lease.ns.empty() || settings.lease.name.empty())
        return fail(errc::invalid, "the lease needs a namespace and a name");
    if (settings.holder.empty())
        return fail(errc::invalid, "the holder of the lease {} needs a name", settings.lease.to_string());
    if (settings.retry_period.count() <= 0)
        return fail(errc::invalid, "the lease's retry period must be positive");
    if (settings.renew_deadline.count() * 10 <= settings.retry_period.count() * 12)
        return fail(
            errc::invalid,
            "the lease's renew deadline of {} ms must be longer than 1.2 times its retry period of {} ms",
            settings.renew_deadline.count(),
            settings.retry_period.count()
        );
    if (settings.duration <= settings.renew_deadline)
        return fail(
            errc::invalid,
            "the lease's duration of {} ms must be longer than its renew deadline of {} ms",
            settings.duration.count(),
            settings.renew_deadline.count()
        );
    return {};
}

leader_elector::leader_elector(
    api& server,
    lease_settings settings,
    timekeeper& time,
    const clock& wall,
    logger log,
    metrics& numbers,
    unsigned seed
)
    : server_(server), settings_(std::move(settings)),
      // Rounded up: a shorter one could end before the renew deadline.
      written_duration_(std::chrono::ceil<std::chrono::seconds>(settings_.duration)), time_(time),
      wall_(wall), log_(log.with({{"lease", settings_.lease.to_string()}})),
      status_(numbers.gauge(
          "leader_election_master_status",
          "1 while this process leads, 0 while it does not",
          {{"name", settings_.lease.name}}
      )),
      random_(seed), view_(settings_.holder, written_duration_)
{
    status_.set(0);
}

asio::awaitable<void> leader_elector::acquire()
{
    if (leading())
        co_return;
    step_down();
    log_.info("waiting to become the leader", {{"holder", settings_.holder}});
    for (;;)
    {
        const outcome round = co_await compete();
        if (round == outcome::won)
            break;
        co_await time_.sleep_until(time_.now() + retry_delay());
    }
    leading_ = true;
    status_.set(1);
    log_.info(
        "became the leader", {{"holder", settings_.holder}, {"transitions", view_.record().transitions}}
    );
}

asio::awaitable<error> leader_elector::hold()
{
    if (!leading_)
        co_return fail(errc::conflict, "the lease {} was never acquired", settings_.lease.to_string());
    error why = fail(
        errc::timed_out,
        "the lease {} was not renewed within {} ms",
        settings_.lease.to_string(),
        settings_.renew_deadline.count()
    );
    while (leading())
    {
        co_await time_.sleep_until(std::min(tried_at_ + settings_.retry_period, leads_until_));
        if (!leading())
            break;
        const outcome round = co_await renew();
        if (round == outcome::not_ours)
        {
            const std::string& holder = observed_holder();
            why = fail(
                errc::conflict,
                "the lease {} is held by {} now",
                settings_.lease.to_string(),
                holder.empty() ? "nobody" : holder
            );
            break;
        }
    }
    step_down();
    log_.warn("lost the leadership", {{"err", why.message()}});
    co_return why;
}

asio::awaitable<void> leader_elector::release()
{
    step_down();
    if (!may_hold_)
        co_return;
    try
    {
        co_await give_up(time_.now() + release_limit);
    }
    catch (const std::exception& thrown)
    {
        // Canceled, or out of memory: the lease expires by itself.
        log_.warn("could not release the lease", {{"err", thrown.what()}});
    }
}

// One attempt of a candidate: it always reads first, so that what it writes rests on what is there now.
asio::awaitable<leader_elector::outcome> leader_elector::compete()
{
    tried_at_ = time_.now();
    const time_point latest = tried_at_ + settings_.renew_deadline;
    const bool known = co_await read(latest);
    if (!known)
        co_return outcome::failed;
    if (view_.judge(time_.now()) == lease_view::verdict::held)
        co_return outcome::not_ours;
    const outcome written = co_await claim(latest);
    co_return written;
}

// One attempt of the leader: writes at once where the last write succeeded (client-go's fast path), and once
// more after reading where somebody changed the lease, such as its labels.
asio::awaitable<leader_elector::outcome> leader_elector::renew()
{
    tried_at_ = time_.now();
    const time_point latest = leads_until_;
    if (certain_)
    {
        const outcome written = co_await claim(latest);
        if (written != outcome::conflict)
            co_return written;
    }
    const bool known = co_await read(latest);
    if (!known)
        co_return outcome::failed;
    // A lease that is gone is made anew, but whoever cleared its holder wants another one.
    if (view_.live() && !is_ours())
        co_return outcome::not_ours;
    const outcome written = co_await claim(latest);
    co_return written;
}

// Learns what there is; false where it cannot.
asio::awaitable<bool> leader_elector::read(time_point latest)
{
    certain_ = false;
    auto request = server_.get(leases, settings_.lease, request_class::lease);
    auto answer = co_await bounded("get", std::move(request), latest);
    if (answer)
    {
        if ((*answer)->meta.resource_version.empty())
        {
            // Without one a write would overwrite whatever is there.
            note("get", api_error(fail(errc::protocol, "a lease without resourceVersion")));
            co_return false;
        }
        saw(std::move(*answer));
    }
    else if (answer.error().is_not_found())
    {
        view_.saw_none();
    }
    else
    {
        note("get", answer.error());
        co_return false;
    }
    certain_ = true;
    co_return true;
}

// Writes our name into the lease as it was seen, and so leads for a renew deadline from before the request.
asio::awaitable<leader_elector::outcome> leader_elector::claim(time_point latest)
{
    const time_point started = time_.now();
    const object_ptr live = view_.live();
    json::object wanted;
    if (live)
        wanted = claimed_lease(*live, settings_.holder, written_duration_, wall_.now());
    else
        wanted = first_lease(settings_.lease, settings_.holder, written_duration_, wall_.now());

    // Until the answer is there nobody knows whether this will be carried out.
    const std::string verb = live ? "update" : "create";
    certain_ = false;
    may_hold_ = true;
    asio::awaitable<api_result<object_ptr>> request;
    if (live)
        request = server_.replace(leases, std::move(wanted), request_class::lease);
    else
        request = server_.create(leases, std::move(wanted), request_class::lease);
    auto answer = co_await bounded(verb, std::move(request), latest);
    if (!answer)
    {
        if (answer.error().is_conflict() || (live && answer.error().is_not_found()))
            co_return outcome::conflict;
        note(verb, answer.error());
        co_return outcome::failed;
    }
    saw(std::move(*answer));
    // What comes too late, after a pause of the process, is read again.
    if (!is_ours() || time_.now() >= latest)
        co_return outcome::failed;
    certain_ = !view_.live()->meta.resource_version.empty();
    leads_until_ = started + settings_.renew_deadline;
    co_return outcome::won;
}

asio::awaitable<void> leader_elector::give_up(time_point latest)
{
    while (time_.now() < latest)
    {
        const bool was_certain = certain_;
        bool known = certain_;
        if (!known)
            known = co_await read(latest);
        if (known && !is_ours())
        {
            may_hold_ = false;
            co_return;
        }
        outcome done = outcome::failed;
        if (known)
            done = co_await vacate(latest);
        if (done == outcome::won)
        {
            may_hold_ = false;
            log_.info("released the lease");
            co_return;
        }
        // What was remembered may be old; what was just read is not, so whoever is faster gets a pause.
        if (done != outcome::conflict || !was_certain)
            co_await time_.sleep_until(std::min(time_.now() + release_pause, latest));
    }
    log_.warn("could not release the lease in time, so that the next leader waits for its expiry");
}

asio::awaitable<leader_elector::outcome> leader_elector::vacate(time_point latest)
{
    json::object wanted = released_lease(*view_.live(), wall_.now());
    certain_ = false;
    auto request = server_.replace(leases, std::move(wanted), request_class::lease);
    auto answer = co_await bounded("update", std::move(request), latest);
    if (answer)
    {
        saw(std::move(*answer));
        co_return outcome::won;
    }
    if (answer.error().is_conflict() || answer.error().is_not_found())
        co_return outcome::conflict;
    note("update", answer.error());
    co_return outcome::failed;
}

// One request, canceled at `latest` and after half of the renew deadline, which leaves time for another one
// (the timeout of client-go's clients).
asio::awaitable<api_result<object_ptr>>
leader_elector::bounded(std::string verb, asio::awaitable<api_result<object_ptr>> request, time_point latest)
{
    const time_point until = std::min(time_.now() + settings_.renew_deadline / 2, latest);
    if (time_.now() >= until)
        co_return api_error(fail(errc::timed_out, "no time is left to ask the API server"));
    auto answer = co_await unless(time_.sleep_until(until), std::move(request));
    if (!answer)
        co_return api_error(fail(errc::timed_out, "no answer from the API server in time"));
    if (*answer)
        reported_failures_.erase(verb);
    co_return std::move(*answer);
}

void leader_elector::saw(object_ptr lease)
{
    view_.saw(std::move(lease), time_.now());
    const std::string& holder = observed_holder();
    if (holder == reported_holder_)
        return;
    reported_holder_ = holder;
    if (holder != settings_.holder)
        log_.info("the lease has a new holder", {{"holder", holder.empty() ? "nobody" : holder}});
}

// Each kind of failure once until the verb succeeds, as it comes again every few seconds.
void leader_elector::note(const std::string& verb, const api_error& failure)
{
    const std::string kind = fmt::format("{} {}", failure.http_status(), to_string(failure.code()));
    if (std::exchange(reported_failures_[verb], kind) == kind)
        return;
    if (failure.http_status() == 403)
        log_.error(
            "the service account may not use the lease: it needs the verbs get, create and update on "
            "leases.coordination.k8s.io",
            {{"verb", verb},
             {"resource", "leases.coordination.k8s.io"},
             {"namespace", settings_.lease.ns},
             {"name", settings_.lease.name},
             {"err", failure.message()}}
        );
    else
        log_.warn("a request for the lease failed", {{"verb", verb}, {"err", failure.message()}});
}

void leader_elector::step_down()
{
    leading_ = false;
    status_.set(0);
}

std::chrono::milliseconds leader_elector::retry_delay()
{
    std::uniform_real_distribution<double> factor(1.0, 1.0 + jitter_factor);
    const double delay = static_cast<double>(settings_.retry_period.count()) * factor(random_);
    return std::chrono::milliseconds(static_cast<std::int64_t>(delay));
}

std::string pod_name()
{
    std::string name = environment("POD_NAME");
    if (!name.empty())
        return name;
    boost::system::error_code ignored;
    return asio::ip::host_name(ignored);
}

std::string make_holder_identity()
{
    std::string suffix = environment("POD_UID");
    if (suffix.empty())
    {
        std::random_device random;
        suffix = fmt::format("{:08x}{:08x}", random(), random());
    }
    return pod_name() + "_" + suffix;
}

}  // namespace portitor::kube

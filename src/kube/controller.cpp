#include <portitor/core/deadline.hpp>
#include <portitor/core/exception_text.hpp>
#include <portitor/kube/controller.hpp>

#include <fmt/ranges.h>

#include <algorithm>

namespace portitor::kube {

namespace asio = boost::asio;

namespace {

// One in so many workers is never taken by the keys of one namespace.
constexpr int workers_for_one_of_others = 4;

counter& count_reconciles(const environment& around, const std::string& name, const char* outcome)
{
    return around.metrics.counter(
        "controller_runtime_reconcile_total",
        "Reconciles by outcome",
        {{"controller", name}, {"result", outcome}}
    );
}

}  // namespace

/// The work on one key, which ends by an exception where it is canceled.
class controller::in_work
{
public:
    in_work(controller& owner, object_key key) : owner_(owner), key_(std::move(key))
    {
        owner_.active_.add(1);
    }
    in_work(const in_work&) = delete;
    in_work& operator=(const in_work&) = delete;
    ~in_work()
    {
        owner_.active_.add(-1);
        owner_.queue_.done(key_);
    }

private:
    controller& owner_;
    object_key key_;
};

mapper<object> controller_key(std::string kind)
{
    return [kind = std::move(kind)](const change<object>& of) {
        std::vector<object_key> keys;
        for (const object_ptr& each : {of.before, of.after})
        {
            const owner_reference* owner = each ? each->meta.controller() : nullptr;
            if (owner && owner->kind == kind)
                keys.push_back({each->meta.ns, owner->name});
        }
        return keys;
    };
}

controller::controller(const environment& around, controller_options options, reconciler work)
    : around_(around), options_(std::move(options)), reconcile_(std::move(work)),
      queue_(around.executor, options_.name, around.timers, around.metrics),
      tasks_(around.executor, around.log, [this](const auto&, const auto&) { give_up(); }),
      workers_(around.executor, around.log, [this](const auto&, const auto&) { give_up(); }),
      succeeded_(count_reconciles(around, options_.name, "success")),
      failed_(count_reconciles(around, options_.name, "error")),
      requeued_(count_reconciles(around, options_.name, "requeue_after")),
      errors_(around.metrics.counter(
          "controller_runtime_reconcile_errors_total",
          "Reconciles that failed",
          {{"controller", options_.name}}
      )),
      panics_(around.metrics.counter(
          "controller_runtime_reconcile_panics_total",
          "Reconciles that ended by an exception",
          {{"controller", options_.name}}
      )),
      seconds_(around.metrics.histogram(
          "controller_runtime_reconcile_time_seconds",
          "Duration of a reconcile",
          {{"controller", options_.name}}
      )),
      active_(around.metrics.gauge(
          "controller_runtime_active_workers", "Reconciles under way", {{"controller", options_.name}}
      ))
{
    around.metrics
        .gauge("controller_runtime_max_concurrent_reconciles", "Workers", {{"controller", options_.name}})
        .set(options_.workers);
    // One namespace's objects may be such that each write takes the API server half a minute.
    queue_.share_out(static_cast<std::size_t>(options_.workers - options_.workers / workers_for_one_of_others)
    );
    if (options_.lease)
        elector_.emplace(
            around.server, *options_.lease, around.timers, around.clock, around.log, around.metrics
        );
}

void controller::give_up()
{
    if (end_)
        end_->request(1);
}

controller::~controller()
{
    around_.health.remove(synced_check());
    around_.health.remove(connected_check());
}

std::string controller::synced_check() const
{
    return options_.name + " watches synced";
}

std::string controller::connected_check() const
{
    return options_.name + " watches connected";
}

asio::awaitable<void> controller::run(stop_signal& end)
{
    end_ = &end;
    add_checks();
    for (const auto& each : informers_)
        tasks_.spawn("watch " + std::string(each->kind().kind), each->run());
    tasks_.spawn("sync limit", limit_sync(end));
    tasks_.spawn("lead", lead(end));
    co_await end.wait();
    queue_.close();
    co_await drain();
    workers_.cancel();
    co_await workers_.join();
    tasks_.cancel();
    co_await tasks_.join();
    // The guarded work has stopped: whoever waits may begin.
    if (elector_ && !lost_)
        co_await elector_->release();
    end_ = nullptr;
}

void controller::add_checks()
{
    around_.health.add_readiness(synced_check(), [this] { return find_unsynced(); });
    around_.health.add_warning(connected_check(), [this] { return find_stale(); });
}

std::optional<std::string> controller::find_missing(bool only_unfilled) const
{
    std::vector<std::string> missing;
    for (const auto& each : informers_)
    {
        if (each->missing() && !(only_unfilled && each->synced()))
            missing.push_back(*each->missing());
    }
    if (missing.empty())
        return std::nullopt;
    return "missing: " + fmt::format("{}", fmt::join(missing, "; "));
}

std::optional<std::string> controller::find_unsynced() const
{
    if (auto missing = find_missing(options_.serves_on))
        return missing;
    for (const auto& each : informers_)
    {
        if (!each->synced())
            return fmt::format("{} not listed yet", each->kind().plural);
    }
    return std::nullopt;
}

bool controller::all_synced() const
{
    return std::all_of(informers_.begin(), informers_.end(), [](const auto& each) { return each->synced(); });
}

std::optional<std::string> controller::find_stale() const
{
    if (auto missing = find_missing(false))
        return missing;
    for (const auto& each : informers_)
    {
        const auto lost = each->disconnected_for();
        if (lost && *lost > options_.stale_limit)
            return fmt::format("{} not seen for {} s", each->kind().plural, lost->count());
    }
    return std::nullopt;
}

asio::awaitable<void> controller::lead(stop_signal& end)
{
    // Whoever takes over has its stores filled already.
    for (const auto& each : informers_)
        co_await each->wait_usable();
    if (options_.prepare)
        co_await options_.prepare();
    if (elector_)
        co_await elector_->acquire();
    // What came in the moment of the end, even to a coroutine that is canceled: nobody waits for workers
    // then.
    if (end.requested())
        co_return;
    started_ = true;
    if (on_start_)
        on_start_();
    for (int i = 0; i < options_.workers; ++i)
        workers_.spawn("worker", work());
    if (!elector_)
        co_return;
    const error why = co_await elector_->hold();
    lost_ = true;
    around_.log.error("no longer the leader, ending at once", {{"err", why.message()}});
    workers_.cancel();
    end.request(1);
}

asio::awaitable<void> controller::limit_sync(stop_signal& end)
{
    co_await around_.timers.sleep_for(options_.sync_limit);
    const auto unsynced = find_unsynced();
    if (!unsynced)
        co_return;
    around_.log.error(
        "a watch was not synced in time: is the API server up, are the CRDs installed, may this account "
        "list?",
        {{"err", *unsynced},
         {"seconds", std::chrono::duration_cast<std::chrono::seconds>(options_.sync_limit).count()}}
    );
    if (options_.when_unsynced == when_unsynced::give_up)
        end.request(1);
}

asio::awaitable<void> controller::work()
{
    for (;;)
    {
        const auto key = co_await queue_.get();
        if (!key)
            co_return;
        const in_work mark(*this, *key);
        co_await reconcile(*key);
    }
}

asio::awaitable<void> controller::reconcile(object_key key)
{
    const auto started = around_.timers.now();
    const auto outcome = co_await attempt(key);
    seconds_.observe(std::chrono::duration<double>(around_.timers.now() - started).count());
    if (!outcome)
    {
        failed_.add();
        errors_.add();
        if (outcome.error().code() != errc::conflict)
            around_.log.warn(
                "reconcile failed, will try again",
                {{"controller", options_.name}, {"key", key.to_string()}, {"err", outcome.error().message()}}
            );
        queue_.add_failed(key);
        co_return;
    }
    queue_.forget(key);
    (*outcome ? requeued_ : succeeded_).add();
    if (*outcome)
        queue_.add_after(key, **outcome);
}

/// An exception other than that of a cancellation becomes the error of this key.
asio::awaitable<reconcile_result> controller::attempt(object_key key)
{
    std::exception_ptr thrown;
    std::optional<reconcile_result> outcome;
    try
    {
        outcome = co_await reconcile_(key);
    }
    catch (...)
    {
        thrown = std::current_exception();
    }
    if (outcome)
        co_return std::move(*outcome);
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        std::rethrow_exception(thrown);
    panics_.add();
    std::string what = describe(thrown);
    co_await tell_exception(key, what);
    co_return fail(errc::invalid, "an exception: {}", what);
}

asio::awaitable<void> controller::tell_exception(object_key key, std::string what)
{
    if (!options_.on_exception)
        co_return;
    std::exception_ptr thrown;
    try
    {
        co_await options_.on_exception(key, std::move(what));
    }
    catch (...)
    {
        thrown = std::current_exception();
    }
    if (!thrown)
        co_return;
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        std::rethrow_exception(thrown);
    around_.log.error(
        "an exception while another one was told",
        {{"controller", options_.name}, {"key", key.to_string()}, {"err", describe(thrown)}}
    );
}

asio::awaitable<void> controller::drain()
{
    // Whichever comes first; what is still under way then is canceled.
    using namespace asio::experimental::awaitable_operators;
    co_await (queue_.wait_idle() || around_.timers.sleep_for(options_.drain_limit));
}

}  // namespace portitor::kube

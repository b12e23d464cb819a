#include "roles/controller/controller.hpp"

#include "roles/controller/path_index.hpp"
#include "roles/controller/plan.hpp"
#include "roles/controller/plan_settings.hpp"
#include "roles/controller/prober.hpp"
#include "roles/controller/reconciler.hpp"
#include "roles/controller/terms.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/api/service_offer.hpp>
#include <portitor/core/http_client.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/events.hpp>
#include <portitor/kube/informer.hpp>
#include <portitor/kube/work_queue.hpp>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;
using kube::object_key;
using kube::object_ptr;

constexpr int worker_count = 8;
constexpr std::chrono::seconds sync_deadline(120);
// How long the echo of a write is waited for before the offer is judged as it is known.
constexpr std::chrono::milliseconds write_echo_limit(2000);

class controller_role final : public role
{
public:
    controller_role(const process& around, const settings& config)
        : around_(around), config_(config), plan_settings_(make_plan_settings(config)),
          tasks_(around.executor, around.log, [this](const auto&, const auto&) { around_.end.request(1); }),
          queue_(around.executor, "serviceoffer", around.numbers)
    {}

    asio::awaitable<result<int>> run() override
    {
        auto connection = kube::load_connection(config_.kubeconfig, config_.context);
        if (!connection)
            co_return connection.error();
        auto server = kube::make_api(around_.executor, std::move(*connection), around_.log, around_.numbers);
        if (!server)
            co_return server.error();
        server_ = std::move(*server);
        auto probing = http::make_client(around_.executor, http::client_settings());
        if (!probing)
            co_return probing.error();
        probe_client_ = std::move(*probing);
        assemble();
        for (auto& each : informers_)
            tasks_.spawn("watch " + std::string(each->kind().kind), each->run());
        tasks_.spawn("lead", lead());
        tasks_.spawn("sync deadline", give_up_unsynced());
        co_await around_.end.wait();
        // A worker may be cut off between two writes: each may be repeated, the next run goes on.
        queue_.close();
        tasks_.cancel();
        co_await tasks_.join();
        co_return around_.end.exit_code();
    }

private:
    void assemble()
    {
        events_.emplace(*server_, tasks_, "portitor-controller", around_.log);
        reconciler_.emplace(*server_, *events_, around_.log);
        prober_.emplace(*probe_client_, tasks_, plan_settings_.probe_period, [this](const object_key& offer) {
            queue_.add(offer);
        });
        kube::selection selected;
        selected.labels = config_.offer_selector;
        offers_ = &watch(api::service_offer_resource, selected);
        middlewares_ = &watch(api::middleware_resource, {});
        http_routes_ = &watch(api::http_route_resource, {});
        payment_routes_ = &watch(api::payment_route_resource, {});
        registrations_ = &watch(api::registration_request_resource, {});
        offers_->on_change([this](const kube::change& of) { on_offer(of); });
        for (kube::informer* each : {middlewares_, http_routes_, payment_routes_, registrations_})
            each->on_change([this](const kube::change& of) { on_child(of); });
        if (plan_settings_.verifier_endpoints_required)
        {
            kube::selection slices;
            slices.ns = config_.verifier_service.ns;
            slices.labels = "kubernetes.io/service-name=" + config_.verifier_service.name;
            endpoints_ = &watch(api::endpoint_slice_resource, slices);
            endpoints_->on_change([this](const kube::change&) { on_endpoints(); });
        }
        around_.checks.add_readiness("watches synced", [this]() -> std::optional<std::string> {
            for (const auto& each : informers_)
            {
                if (!each->synced())
                    return fmt::format("{} not listed yet", each->kind().plural);
            }
            return std::nullopt;
        });
    }

    kube::informer& watch(const kube::resource& kind, const kube::selection& which)
    {
        informers_.push_back(std::make_unique<kube::informer>(
            around_.executor, *server_, kind, which, around_.log, around_.numbers
        ));
        return *informers_.back();
    }

    void on_offer(const kube::change& of)
    {
        for (const object_key& other : paths_.update(of))
            queue_.add(other);
        queue_.add(of.key);
    }

    /// A child concerns the offer that its controlling owner names or, where somebody has taken that away,
    /// its label.
    void on_child(const kube::change& of)
    {
        for (const object_ptr& each : {of.before, of.after})
        {
            if (!each)
                continue;
            const kube::owner_reference* owner = each->meta.controller();
            if (owner && owner->kind == api::service_offer_resource.kind)
                queue_.add({each->meta.ns, owner->name});
            // The label's name holds dots, so it is no path.
            const auto* label = kube::labels_of(*each).if_contains(api::offer_label);
            if (label && label->is_string())
                queue_.add({each->meta.ns, std::string(label->get_string())});
        }
    }

    void on_endpoints()
    {
        const bool ready = any_endpoint_ready();
        if (ready == verifier_ready_)
            return;
        verifier_ready_ = ready;
        for (const auto& [key, offer] : offers_->objects().all())
            queue_.add(key);
    }

    bool any_endpoint_ready() const
    {
        for (const auto& [key, slice] : endpoints_->objects().all())
        {
            const boost::json::value* list = slice->raw.if_contains("endpoints");
            if (!list || !list->is_array())
                continue;
            for (const boost::json::value& each : list->get_array())
            {
                if (each.is_object() && kube::bool_at(each.get_object(), "conditions.ready"))
                    return true;
            }
        }
        return false;
    }

    /// Everything that writes: what only one controller may do at a time.
    asio::awaitable<void> lead()
    {
        for (auto& each : informers_)
            co_await each->wait_synced();
        if (endpoints_)
            verifier_ready_ = any_endpoint_ready();
        around_.log.info("ready", {{"offers", offers_->objects().size()}});
        for (int i = 0; i < worker_count; ++i)
            tasks_.spawn("worker", work());
    }

    asio::awaitable<void> give_up_unsynced()
    {
        co_await sleep_for(sync_deadline);
        for (const auto& each : informers_)
        {
            if (each->synced())
                continue;
            around_.log.error(
                "a watch was not synced in time: is the API server up, are the CRDs installed, may this "
                "account list?",
                {{"kind", each->kind().kind}, {"seconds", sync_deadline.count()}}
            );
            around_.end.request(1);
        }
    }

    asio::awaitable<void> work()
    {
        for (;;)
        {
            const auto key = co_await queue_.get();
            if (!key)
                co_return;
            const auto started = std::chrono::steady_clock::now();
            const auto outcome = co_await reconcile(*key);
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
            reconcile_seconds_.observe(took.count());
            count_reconcile(outcome ? "success" : "error");
            if (outcome)
            {
                queue_.forget(*key);
                if (*outcome)
                    queue_.add_after(*key, **outcome);
            }
            else
            {
                // A conflict says that somebody was faster: that is news on its way to us, not a failure.
                if (outcome.error().code() != errc::conflict)
                    around_.log.warn(
                        "reconcile failed", {{"offer", key->to_string()}, {"err", outcome.error().message()}}
                    );
                queue_.add_failed(*key);
            }
            queue_.done(*key);
        }
    }

    void count_reconcile(const char* outcome)
    {
        around_.numbers
            .counter(
                "controller_runtime_reconcile_total",
                "Reconciles by outcome",
                {{"controller", "serviceoffer"}, {"result", outcome}}
            )
            .add();
    }

    /// One pass over one offer: look, decide, act. The value is when to look again without an event.
    asio::awaitable<result<std::optional<std::chrono::milliseconds>>> reconcile(object_key key)
    {
        using outcome = result<std::optional<std::chrono::milliseconds>>;
        const object_ptr offer = offers_->objects().find(key);
        if (!offer)
        {
            prober_->forget(key);
            memory_.erase(key);
            co_return outcome(std::nullopt);
        }
        // Our own last write is on its way here, and its arrival is an event: until then we would judge what
        // we have replaced ourselves.
        memory& past = memory_[key];
        if (kube::is_older(offer->meta.resource_version, past.written_version) &&
            std::chrono::steady_clock::now() < past.written_at + write_echo_limit)
            co_return outcome(write_echo_limit);
        if (const auto parsed = api::parse_service_offer(*offer);
            parsed && !offer->meta.deleted && parsed->upstream.ns == offer->meta.ns)
            prober_->watch(key, controller::upstream_url(*parsed));
        else
            prober_->forget(key);
        controller::plan todo =
            controller::make_plan(*offer, observe(*offer), plan_settings_, around_.time.now());
        const auto next_check = todo.next_check;
        if (!todo.empty())
        {
            controller::reconciler::report report;
            auto done = co_await reconciler_->carry_out(offer, std::move(todo), report);
            remember(key, std::move(report));
            if (!done)
                co_return done.error();
        }
        co_return outcome(next_check);
    }

    void remember(const object_key& key, controller::reconciler::report report)
    {
        memory& past = memory_[key];
        if (!report.offer_version.empty())
        {
            past.written_version = report.offer_version;
            past.written_at = std::chrono::steady_clock::now();
        }
        for (const auto& [plural, failure] : report.applies)
        {
            if (failure.empty())
                past.apply_errors.erase(plural);
            else
                past.apply_errors[plural] = failure;
        }
    }

    controller::observation observe(const kube::object& offer) const
    {
        const std::string& ns = offer.meta.ns;
        const std::string& name = offer.meta.name;
        controller::observation seen;
        seen.middleware = middlewares_->objects().find({ns, api::middleware_name(name)});
        seen.http_route = http_routes_->objects().find({ns, api::http_route_name(name)});
        seen.payment_route = payment_routes_->objects().find({ns, api::payment_route_name(name)});
        seen.registration = registrations_->objects().find({ns, api::registration_name(name)});
        seen.probe = prober_->latest(offer.meta.key());
        if (endpoints_)
            seen.verifier_ready = verifier_ready_;
        seen.path_owner = paths_.owner_before(offer);
        if (const auto past = memory_.find(offer.meta.key()); past != memory_.end())
            seen.apply_errors = past->second.apply_errors;
        return seen;
    }

    /// What is known of an offer that the API server does not keep.
    struct memory
    {
        std::string written_version;  ///< the offer's resourceVersion after our last write
        std::chrono::steady_clock::time_point written_at{};
        std::map<std::string, std::string, std::less<>> apply_errors;
    };

    const process around_;
    const settings& config_;
    const controller::plan_settings plan_settings_;
    std::unique_ptr<kube::api> server_;
    std::unique_ptr<http::client> probe_client_;
    task_group tasks_;
    kube::work_queue queue_;
    histogram& reconcile_seconds_ = around_.numbers.histogram(
        "controller_runtime_reconcile_time_seconds",
        "Duration of a reconcile",
        {{"controller", "serviceoffer"}}
    );
    std::optional<kube::event_recorder> events_;
    std::optional<controller::reconciler> reconciler_;
    std::optional<controller::prober> prober_;
    controller::path_index paths_;
    std::map<object_key, memory> memory_;
    std::vector<std::unique_ptr<kube::informer>> informers_;
    kube::informer* offers_ = nullptr;
    kube::informer* middlewares_ = nullptr;
    kube::informer* http_routes_ = nullptr;
    kube::informer* payment_routes_ = nullptr;
    kube::informer* registrations_ = nullptr;
    kube::informer* endpoints_ = nullptr;
    bool verifier_ready_ = false;
};

}  // namespace

std::unique_ptr<role> make_controller(const process& around, const settings& config)
{
    return std::make_unique<controller_role>(around, config);
}

}  // namespace portitor::roles

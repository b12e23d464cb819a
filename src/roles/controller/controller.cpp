#include "roles/controller/controller.hpp"

#include "offer/plan.hpp"
#include "roles/controller/discovery/service.hpp"
#include "roles/controller/executor.hpp"
#include "roles/controller/gate_key_file.hpp"
#include "roles/controller/gate_trials.hpp"
#include "roles/controller/leftovers.hpp"
#include "roles/controller/memory.hpp"
#include "roles/controller/offer_metrics.hpp"
#include "roles/controller/pollers.hpp"
#include "roles/controller/watches.hpp"
#include "roles/kube_connection.hpp"
#include "roles/served_schema.hpp"

#include <portitor/api/names.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/http/client.hpp>
#include <portitor/kube/controller.hpp>
#include <portitor/kube/events.hpp>
#include <portitor/kube/server_clock.hpp>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;
using kube::object_key;
using offer::child_kind;

constexpr int worker_count = 8;
// Discovery answers at once: only who reads slowly is still there after that.
constexpr std::chrono::seconds drain_limit(5);
// How often the gate key is read again.
constexpr std::chrono::seconds file_period(10);

offer::plan_settings plan_settings_of(const controller::options& options)
{
    offer::plan_settings out{options.gateway, options.lists};
    out.deletion_deadline = options.deletion_deadline;
    return out;
}

class controller_role final : public role
{
public:
    controller_role(const process& around, controller::options options)
        : around_(around), config_(std::move(options)), plan_settings_(plan_settings_of(config_)),
          tasks_(around.executor, around.log, [this](const auto&, const auto&) { around_.stop.request(1); }),
          serving_(around.executor, around.log, [this](const auto&, const auto&) { around_.stop.request(1); })
    {}

    asio::awaitable<result<int>> run() override
    {
        auto assembled = assemble();
        if (!assembled)
            co_return assembled.error();
        if (discovery_)
        {
            serving_.spawn("discovery", discovery_->run());
            serving_.spawn("end of discovery", drain_discovery());
        }
        if (gate_key_.configured())
            tasks_.spawn("gate key", follow_gate_key());
        tasks_.spawn("served schemas", follow_served_schema(*server_, around_.timers, served_, [this] {
                         take_schema();
                     }));
        co_await controller_->run(around_.stop);
        co_await serving_.join();
        // Probes and Events that nobody waits for any more.
        tasks_.cancel();
        co_await tasks_.join();
        co_return around_.stop.exit_code();
    }

private:
    result<void> assemble()
    {
        auto server = around_.connect();
        if (!server)
            return server.error();
        server_ = std::move(*server);
        take_gate_key();
        auto probing = http::make_client(around_.executor, http::client_settings());
        if (!probing)
            return probing.error();
        probe_client_ = std::move(*probing);
        wall_.emplace(*server_, around_.clock);
        const kube::environment env = environment_of(around_, *server_, *wall_);
        events_.emplace(env, tasks_, "portitor-controller");
        executor_.emplace(*server_, *events_, numbers_, around_.log);
        kube::controller_options options;
        options.name = "serviceoffer";
        options.workers = worker_count;
        options.lease = config_.lease.lease(controller_lease);
        options.prepare = [this] { return learn_schema(); };
        options.on_exception = [this](object_key key, std::string what) {
            return tell_exception(std::move(key), std::move(what));
        };
        controller_.emplace(env, std::move(options), [this](object_key key) {
            return reconcile(std::move(key));
        });
        pollers_.emplace(
            tasks_,
            around_.timers,
            *probe_client_,
            plan_settings_.lists.networks.table,
            around_.metrics,
            plan_settings_.probe_period,
            [this](const offer::proof_target& about, std::string_view host, std::string_view path) {
                return watches_->preferred_rule(about.route, host, path);
            },
            [this](const object_key& offer) { controller_->queue().add(offer); }
        );
        leftovers_.emplace(*server_, plan_settings_, *wall_);
        auto selected = offer::offer_selection::parse(config_.offer_selector);
        if (!selected)
            return selected.error().within("--offer-selector");
        watches_.emplace(
            *controller_,
            controller::watches::options{std::move(*selected), config_.gateway.verifier_service},
            plan_settings_,
            *wall_,
            around_.timers,
            memory_,
            numbers_,
            around_.log
        );
        trials_.emplace(around_.timers, *wall_);
        watches_->remember_gates_by([this](offer::observation& seen) {
            pollers_->recall(seen);
            trials_->recall(seen);
        });
        watches_->on_gate_change([this] { return trials_->note_change(); });
        auto listening = listen(env);
        if (!listening)
            return listening;
        controller_->on_start([this] {
            watches_->begin();
            if (discovery_ && !discovery_->route().name.empty())
                controller_->queue().add(publishing_key());
            around_.log.info("ready", {{"offers", watches_->offers().objects().size()}});
        });
        controller_->on_found([this] { look_at_all_again(); });
        return {};
    }

    /// A kind that was missing is there again: nothing is tried later for want of it.
    void look_at_all_again()
    {
        watches_->begin();
        for (const auto& [key, offer] : watches_->offers().objects().all())
            controller_->queue().add(key);
    }

    /// The documents, where they are wanted: also while another replica leads.
    result<void> listen(const kube::environment& env)
    {
        if (config_.listen.empty())
            return {};
        discovery_.emplace(
            env,
            around_.context,
            plan_settings_,
            controller::discovery_service::stores{
                watches_->offers(),
                watches_->of(child_kind::payment_route),
                watches_->of(child_kind::registration),
                watches_->of(child_kind::http_route),
                [this]() -> const std::map<std::string, std::size_t>& { return watches_->hosts(); }},
            config_.discovery_service
        );
        watches_->offers().on_change([this](const auto& of) { discovery_->note_change(of.key()); });
        for (const child_kind kind : {child_kind::payment_route, child_kind::registration})
            watches_->of(kind).on_change([this](const kube::change<kube::object>& of) {
                for (const object_key& offer : controller::concerned_by_child(of))
                    discovery_->note_change(offer);
            });
        // Ours too may be made a way around an offer's gate, by an edit.
        watches_->on_route_change([this](const object_key& route) {
            if (discovery_->is_route(route))
                controller_->queue().add(publishing_key());
        });
        watches_->on_hosts_change([this] {
            if (!discovery_->route().name.empty())
                controller_->queue().add(publishing_key());
        });
        auto listening = discovery_->listen(config_.listen);
        return listening ? listening : listening.error().within("--listen");
    }

    /// Whether there is another key to make tokens with.
    bool take_gate_key()
    {
        const auto changed = gate_key_.refresh(around_.timers.now());
        if (!changed)
            around_.log.warn("no gate key can be read", {{"err", changed.error().message()}});
        if (!changed || !*changed)
            return false;
        plan_settings_.gate_key = gate_key_.current();
        return true;
    }

    /// With another key, all offers that need a token are written anew.
    asio::awaitable<void> follow_gate_key()
    {
        for (;;)
        {
            co_await around_.timers.sleep_for(file_period);
            if (!take_gate_key())
                continue;
            around_.log.info("the gate key has changed");
            for (const auto& [key, offer] : watches_->offers().objects().all())
            {
                if (offer->spec && !offer->spec->upstream.credential.empty())
                    controller_->queue().add(key);
            }
        }
    }

    /// Before anything is judged by them.
    asio::awaitable<void> learn_schema()
    {
        if (co_await look_at_served_schema(*server_, served_))
            take_schema();
    }

    void take_schema()
    {
        around_.log.warn(
            "the CRDs of this API server have changed",
            {{"offers", served_.offer_phase && served_.offer_condition_generation ? "known" : "another's"},
             {"registrations", served_.request_lacks.empty() ? "known" : "lack " + served_.request_lacks}}
        );
        for (const auto& [key, offer] : watches_->offers().objects().all())
            controller_->queue().add(key);
    }

    asio::awaitable<void> drain_discovery()
    {
        co_await around_.stop.wait();
        co_await discovery_->drain(drain_limit);
    }

    /// Stands in the queue for the route of the discovery documents: offers have a namespace.
    static object_key publishing_key() { return {"", api::discovery_route_name}; }

    /// One pass over one offer: look, decide, act. The value is when to look again without an event.
    asio::awaitable<kube::reconcile_result> reconcile(object_key key)
    {
        using outcome = kube::reconcile_result;
        if (key == publishing_key())
        {
            if (config_.dry_run)
                co_return outcome(std::nullopt);
            co_return co_await discovery_->publish(*executor_);
        }
        if (key == controller::watches::endpoints_key())
            co_return outcome(watches_->look_at_endpoints());
        const offer::record_ptr offer = watches_->offers().objects().find(key);
        if (!offer)
        {
            pollers_->ask(key, {});
            auto next = co_await end_leftover(key, std::nullopt);
            memory_.forget(key);
            trials_->forget(key);
            co_return next;
        }
        if (const auto wait = memory_.wait_for_echo(offer->meta))
            co_return outcome(*wait);
        // What cannot be read yet may decide about it; but nobody waits for that to delete it.
        if (!controller_->all_synced() && !offer->meta.deleted && offer->selected)
            co_return outcome(std::nullopt);
        // One moment for both, so that who publishes also has its place.
        const clock::time_point now = wall_->now();
        watches_->update_path(offer, now);
        offer::plan todo = offer::make_plan(observe(offer), plan_settings_, now);
        const auto next_check = todo.next_check;
        pollers_->ask(key, todo.ask);
        if (!config_.dry_run)
            memory_.note_turn(key, todo);
        auto failure = co_await carry_out(offer, std::move(todo));
        if (failure)
            co_return std::move(*failure);
        const auto again = co_await end_leftover(key, static_cast<const kube::object_identity&>(offer->meta));
        if (!again || !*again)
            co_return again ? outcome(next_check) : again;
        co_return outcome(std::min(next_check.value_or(**again), **again));
    }

    /// The registration of an offer that had this name before.
    asio::awaitable<kube::reconcile_result>
    end_leftover(object_key key, std::optional<kube::object_identity> present)
    {
        using outcome = kube::reconcile_result;
        const auto& type = offer::type_of(child_kind::registration);
        const object_key name = type.key_for({key.ns, key.name, {}, {}, 0});
        auto found = co_await leftovers_->look_at(
            watches_->of(child_kind::registration).objects().find(name), std::move(present)
        );
        if (!found)
            co_return found.error();
        if (!*found)
            co_return outcome(std::nullopt);
        auto gone = std::make_shared<offer::offer_record>();
        static_cast<kube::object_identity&>(gone->meta) = (*found)->offer;
        const auto next_check = (*found)->todo.next_check;
        auto failure = co_await carry_out(std::move(gone), std::move((*found)->todo));
        if (failure)
            co_return std::move(*failure);
        co_return outcome(next_check);
    }

    /// An offer that nothing can be decided about, because of a fault of ours, says so.
    asio::awaitable<void> tell_exception(object_key key, std::string what)
    {
        const offer::record_ptr offer = watches_->offers().objects().find(key);
        memory_.leave_line(key);
        if (!offer || config_.dry_run)
            co_return;
        offer::observation seen = watches_->glance(offer);
        seen.served = served_;
        offer::plan todo = offer::make_fault_plan(seen, what, wall_->now());
        auto failure = co_await carry_out(offer, std::move(todo));
        if (failure)
            around_.log.warn(
                "the exception could not be told in the offer's status",
                {{"offer", key.to_string()}, {"err", failure->message()}}
            );
    }

    offer::observation observe(const offer::record_ptr& offer)
    {
        offer::observation seen = watches_->observe(offer);
        seen.served = served_;
        memory_.recall(seen);
        return seen;
    }

    /// The value is the first failure; with --dry-run the plan is only told.
    asio::awaitable<std::optional<error>> carry_out(offer::record_ptr offer, offer::plan todo)
    {
        const object_key key = offer->meta.key();
        if (config_.dry_run)
        {
            tell_only(key, todo);
            co_return std::nullopt;
        }
        if (todo.empty())
            co_return std::nullopt;
        memory_.note_plan(offer->meta, todo);
        controller::executor::report done = co_await executor_->carry_out(std::move(offer), std::move(todo));
        for (const object_key& each : memory_.note_report(key, done))
            controller_->queue().add(each);
        co_return std::move(done.failure);
    }

    /// What is to be done is told when it is another than before.
    void tell_only(const object_key& key, const offer::plan& todo)
    {
        const std::string text = fmt::format("{}", fmt::join(offer::describe(todo), ", "));
        if (memory_.is_news(key, text))
            around_.log.info(
                text.empty() ? "nothing to do" : "would do", {{"offer", key.to_string()}, {"changes", text}}
            );
    }

    const process around_;
    const controller::options config_;
    controller::gate_key_file gate_key_{config_.gate_key_file};
    offer::plan_settings plan_settings_;  // all but the key stays as it is
    api::served_schema served_;
    std::unique_ptr<kube::api> server_;
    std::optional<kube::server_clock> wall_;
    std::unique_ptr<http::client> probe_client_;
    task_group tasks_;
    task_group serving_;
    std::optional<kube::event_recorder> events_;
    controller::offer_metrics numbers_{around_.metrics};
    std::optional<controller::executor> executor_;
    std::optional<kube::controller> controller_;
    std::optional<controller::pollers> pollers_;
    std::optional<controller::discovery_service> discovery_;
    controller::memory memory_{around_.timers};
    std::optional<controller::leftovers> leftovers_;
    std::optional<controller::watches> watches_;
    std::optional<controller::gate_trials> trials_;
};

}  // namespace

std::unique_ptr<role> make_controller(const process& around, controller::options options)
{
    return std::make_unique<controller_role>(around, std::move(options));
}

}  // namespace portitor::roles

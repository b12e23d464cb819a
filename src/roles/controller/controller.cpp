#include "roles/controller/controller.hpp"

#include "offer/children.hpp"
#include "offer/drain.hpp"
#include "offer/path_index.hpp"
#include "offer/plan.hpp"
#include "offer/repair_budget.hpp"
#include "offer/surroundings.hpp"
#include "offer/terms.hpp"
#include "roles/controller/discovery/service.hpp"
#include "roles/controller/executor.hpp"
#include "roles/controller/gate_probe.hpp"
#include "roles/controller/model_probe.hpp"
#include "roles/controller/offer_metrics.hpp"
#include "roles/controller/upstream_probe.hpp"
#include "roles/controller/watch_filters.hpp"
#include "roles/kube_connection.hpp"
#include "roles/plan_settings.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/api/service_offer.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/http/client.hpp>
#include <portitor/kube/controller.hpp>
#include <portitor/kube/events.hpp>

#include <set>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;
using kube::object_key;
using kube::object_ptr;
using change = kube::change<kube::object>;

constexpr int worker_count = 8;
constexpr std::size_t questions_at_a_time = 64;
// How long the echo of a write is waited for before the offer is judged as it is known.
constexpr std::chrono::milliseconds write_echo_limit(2000);
// Discovery answers at once: only who reads slowly is still there after that.
constexpr std::chrono::seconds drain_limit(5);

offer::plan_settings plan_settings_of(const controller::options& options)
{
    offer::plan_settings out = make_plan_settings(options.gateway, options.lists);
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
        auto probing = http::make_client(around_.executor, http::client_settings());
        if (!probing)
            return probing.error();
        probe_client_ = std::move(*probing);
        const kube::environment env = environment_of(around_, *server_);
        events_.emplace(env, tasks_, "portitor-controller");
        executor_.emplace(*server_, *events_, numbers_, around_.log);
        kube::controller_options options;
        options.name = "serviceoffer";
        options.workers = worker_count;
        options.lease = config_.lease.lease(controller_lease);
        options.on_exception = [this](object_key key, std::string what) {
            return tell_exception(std::move(key), std::move(what));
        };
        controller_.emplace(env, std::move(options), [this](object_key key) {
            return reconcile(std::move(key));
        });
        make_pollers();
        watch_kinds();
        auto listening = listen(env);
        if (!listening)
            return listening;
        controller_->on_start([this] {
            if (endpoints_)
                verifier_ready_ = any_endpoint_ready();
            // Time has passed and HTTPRoutes have come since the offers were heard of.
            for (const auto& [key, offer] : offers_->objects().all())
                update_path_or_later(offer);
            if (discovery_ && !discovery_->route().name.empty())
                controller_->queue().add(publishing_key());
            around_.log.info("ready", {{"offers", offers_->objects().size()}});
        });
        return {};
    }

    void make_pollers()
    {
        const auto look_again = [this](const object_key& offer) { controller_->queue().add(offer); };
        http::client& client = *probe_client_;
        timekeeper& time = around_.timers;
        upstreams_.emplace(
            "upstream probe",
            tasks_,
            time,
            questions_at_a_time,
            controller::ask_upstream(client, plan_settings_.probe_period),
            look_again
        );
        models_.emplace(
            "model list", tasks_, time, questions_at_a_time, controller::ask_for_model(client), look_again
        );
        gates_.emplace(
            "gate proof", tasks_, time, questions_at_a_time, controller::ask_gateway(client), look_again
        );
    }

    /// Nothing is asked about an offer that is gone.
    void ask(const object_key& offer, const offer::questions& wanted)
    {
        follow(*upstreams_, offer, wanted.upstream);
        follow(*models_, offer, wanted.model);
        if (!wanted.keep_gate_answer)
            follow(*gates_, offer, wanted.gate);
    }

    template <typename Poller, typename Target>
    static void follow(Poller& poller, const object_key& offer, const std::optional<Target>& wanted)
    {
        if (wanted)
            poller.watch(offer, *wanted);
        else
            poller.forget(offer);
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
            controller::discovery_service::stores{*offers_, *payment_routes_, *registrations_, *http_routes_},
            config_.discovery_service
        );
        offers_->on_change([this](const change& of) { discovery_->note_change(of.key()); });
        for (kube::object_informer* each : {payment_routes_, registrations_})
            each->on_change([this](const change& of) {
                for (const object_key& offer : concerned_by_child(of))
                    discovery_->note_change(offer);
            });
        auto listening = discovery_->listen(config_.listen);
        return listening ? listening : listening.error().within("--listen");
    }

    asio::awaitable<void> drain_discovery()
    {
        co_await around_.stop.wait();
        co_await discovery_->drain(drain_limit);
    }

    /// Stands in the queue for the route of the discovery documents: offers have a namespace.
    static object_key publishing_key() { return {"", controller::discovery_route_name}; }

    void watch_kinds()
    {
        kube::selection own;
        own.filter = controller::own_kind_filter();
        kube::selection selected = own;
        selected.labels = config_.offer_selector;
        kube::selection middlewares;
        middlewares.filter = controller::middleware_filter();
        kube::selection routes;
        routes.filter = controller::http_route_filter();
        offers_ = &controller_->watch(api::service_offer_resource, selected, [this](const change& of) {
            return concerned_by_offer(of);
        });
        middlewares_ = &controller_->watch(api::middleware_resource, middlewares, [this](const change& of) {
            return joined(
                child_changed(api::middleware_resource, of), around_offers_->concerned_by_middleware(of)
            );
        });
        http_routes_ = &controller_->watch(api::http_route_resource, routes, [this](const change& of) {
            return concerned_by_route(of);
        });
        payment_routes_ = &watch_children(api::payment_route_resource, own);
        registrations_ = &watch_children(api::registration_request_resource, own);
        // Without that kind nobody can allow anything; it is looked for again, should it come.
        kube::watch_options optional;
        optional.may_be_absent = true;
        auto& grants = controller_->watch(
            api::reference_grant_resource,
            own,
            [this](const change& of) { return around_offers_->concerned_by_grant(of); },
            optional
        );
        around_offers_.emplace(
            offer::surroundings::kinds{*offers_, *http_routes_, *middlewares_, grants}, plan_settings_
        );
        if (!plan_settings_.verifier_endpoints_required)
            return;
        kube::selection slices;
        const object_key& service = config_.gateway.verifier_service;
        slices.ns = service.ns;
        slices.labels = "kubernetes.io/service-name=" + service.name;
        slices.filter = controller::endpoint_slice_filter();
        endpoints_ = &controller_->watch(api::endpoint_slice_resource, slices, [this](const change&) {
            return concerned_by_endpoints();
        });
    }

    std::vector<object_key> concerned_by_offer(const change& of)
    {
        std::vector<object_key> keys =
            paths_.update(of, of.after && has_given_up_place(*of.after, around_.clock.now()));
        keys.push_back(of.key());
        // Last, because it must not count twice what is told again after an exception.
        numbers_.update(of);
        return keys;
    }

    bool has_given_up_place(const kube::object& offer, clock::time_point now) const
    {
        const object_key route{offer.meta.ns, api::http_route_name(offer.meta.name)};
        return offer::has_given_up_place(offer, http_routes_->objects().find(route), now);
    }

    /// Whether an offer has given up its place changes without an event of the offer.
    void update_path(const object_ptr& offer, clock::time_point now)
    {
        const change same{offer, offer};
        for (const object_key& each : paths_.update(same, has_given_up_place(*offer, now)))
            controller_->queue().add(each);
    }

    /// One offer's exception is no reason not to begin with all others.
    void update_path_or_later(const object_ptr& offer)
    {
        try
        {
            update_path(offer, around_.clock.now());
        }
        catch (const std::exception& thrown)
        {
            around_.log.error(
                "an exception while a path was looked at",
                {{"offer", offer->meta.key().to_string()}, {"err", thrown.what()}}
            );
            controller_->queue().add_failed(offer->meta.key());
        }
    }

    kube::object_informer& watch_children(const kube::resource& kind, const kube::selection& which)
    {
        return controller_->watch(kind, which, [this, &kind](const change& of) {
            return child_changed(kind, of);
        });
    }

    /// A child concerns the offer that its controlling owner names or, where somebody has taken that away,
    /// its label.
    static std::vector<object_key> concerned_by_child(const change& of)
    {
        std::vector<object_key> keys =
            kube::controller_key(std::string(api::service_offer_resource.kind))(of);
        for (const object_ptr& each : {of.before, of.after})
        {
            // The label's name holds dots, so it is no path.
            const auto* label = each ? kube::labels_of(*each).if_contains(api::offer_label) : nullptr;
            if (label && label->is_string())
                keys.push_back({each->meta.ns, std::string(label->get_string())});
        }
        return keys;
    }

    /// The same, and it remembers what somebody else has deleted.
    std::vector<object_key> child_changed(const kube::resource& kind, const change& of)
    {
        std::vector<object_key> keys = concerned_by_child(of);
        if (!of.before || of.after || removed_by_us_.erase(of.before->meta.uid) != 0)
            return keys;
        for (const object_key& each : keys)
        {
            if (const auto known = memory_.find(each); known != memory_.end())
                known->second.lost.emplace(kind.plural);
        }
        return keys;
    }

    std::vector<object_key> concerned_by_route(const change& of)
    {
        std::vector<object_key> keys =
            joined(child_changed(api::http_route_resource, of), around_offers_->concerned_by_route(of));
        // Ours too may be made a way around an offer's gate, by an edit.
        if (discovery_ && of.key() == discovery_->route())
            keys.push_back(publishing_key());
        return keys;
    }

    static std::vector<object_key> joined(std::vector<object_key> some, std::vector<object_key> more)
    {
        some.insert(some.end(), more.begin(), more.end());
        return some;
    }

    /// Every offer, where the verifier has come or gone.
    std::vector<object_key> concerned_by_endpoints()
    {
        std::vector<object_key> keys;
        const bool ready = any_endpoint_ready();
        if (std::exchange(verifier_ready_, ready) == ready)
            return keys;
        for (const auto& [key, offer] : offers_->objects().all())
            keys.push_back(key);
        return keys;
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
        const object_ptr offer = offers_->objects().find(key);
        if (!offer)
        {
            ask(key, {});
            memory_.erase(key);
            co_return outcome(std::nullopt);
        }
        // Our own last write is on its way here, and its arrival is an event: until then we would judge what
        // we have replaced ourselves.
        memory& past = memory_[key];
        if (kube::is_older(offer->meta.resource_version, past.written_version) &&
            std::chrono::steady_clock::now() < past.written_at + write_echo_limit)
            co_return outcome(write_echo_limit);
        // One moment for both, so that who publishes also has its place.
        const clock::time_point now = around_.clock.now();
        update_path(offer, now);
        offer::plan todo = offer::make_plan(*offer, observe(*offer), plan_settings_, now);
        const auto next_check = todo.next_check;
        ask(key, todo.ask);
        if (config_.dry_run)
        {
            tell_only(key, todo);
            co_return outcome(next_check);
        }
        for (const offer::remove& each : todo.removes)
        {
            removed_by_us_.insert(each.uid);
            past.taken_down.emplace(each.kind.plural);
        }
        if (!todo.empty())
        {
            controller::executor::report report;
            auto done = co_await executor_->carry_out(offer, std::move(todo), report);
            remember(key, std::move(report));
            if (!done)
                co_return done.error();
        }
        co_return outcome(next_check);
    }

    /// An offer that nothing can be decided about, because of a fault of ours, says so.
    asio::awaitable<void> tell_exception(object_key key, std::string what)
    {
        const object_ptr offer = offers_->objects().find(key);
        if (!offer || config_.dry_run)
            co_return;
        offer::observation seen;
        const std::string& name = key.name;
        seen.middleware = middlewares_->objects().find({key.ns, api::middleware_name(name)});
        seen.http_route = http_routes_->objects().find({key.ns, api::http_route_name(name)});
        seen.payment_route = payment_routes_->objects().find({key.ns, api::payment_route_name(name)});
        offer::plan todo = offer::make_fault_plan(*offer, seen, what, around_.clock.now());
        if (todo.empty())
            co_return;
        for (const offer::remove& each : todo.removes)
            removed_by_us_.insert(each.uid);
        controller::executor::report report;
        auto done = co_await executor_->carry_out(offer, std::move(todo), report);
        if (!done)
            around_.log.warn(
                "the exception could not be told in the offer's status",
                {{"offer", key.to_string()}, {"err", done.error().message()}}
            );
    }

    /// What is to be done is told when it is another than before.
    void tell_only(const object_key& key, const offer::plan& todo)
    {
        std::string text = fmt::format("{}", fmt::join(offer::describe(todo), ", "));
        std::string& told = memory_[key].told;
        if (told != text)
            around_.log.info(
                text.empty() ? "nothing to do" : "would do", {{"offer", key.to_string()}, {"changes", text}}
            );
        told = std::move(text);
    }

    void remember(const object_key& key, controller::executor::report report)
    {
        memory& past = memory_[key];
        if (!report.offer_version.empty())
        {
            past.written_version = report.offer_version;
            past.written_at = std::chrono::steady_clock::now();
        }
        for (const std::string& plural : report.repairs)
            past.repairs[plural].spend(around_.timers.now());
        for (const auto& [plural, failure] : report.applies)
        {
            if (failure.empty())
            {
                past.apply_errors.erase(plural);
                past.lost.erase(plural);
                past.taken_down.erase(plural);
            }
            else
                past.apply_errors[plural] = failure;
        }
    }

    offer::observation observe(const kube::object& offer) const
    {
        const std::string& ns = offer.meta.ns;
        const std::string& name = offer.meta.name;
        offer::observation seen;
        seen.middleware = middlewares_->objects().find({ns, api::middleware_name(name)});
        seen.http_route = http_routes_->objects().find({ns, api::http_route_name(name)});
        seen.payment_route = payment_routes_->objects().find({ns, api::payment_route_name(name)});
        seen.registration = registrations_->objects().find({ns, api::registration_name(name)});
        seen.probe = upstreams_->latest(offer.meta.key());
        seen.model = models_->latest(offer.meta.key());
        seen.proof = gates_->latest(offer.meta.key());
        if (endpoints_)
            seen.verifier_ready = verifier_ready_;
        seen.path_owner = paths_.owner_before(offer.meta.key());
        if (const auto parsed = api::parse_service_offer(offer))
        {
            seen.way_around = around_offers_->way_around(*parsed);
            seen.upstream_granted =
                around_offers_->may_lead_to(ns, {parsed->upstream.ns, parsed->upstream.service});
        }
        if (const auto past = memory_.find(offer.meta.key()); past != memory_.end())
        {
            seen.apply_errors = past->second.apply_errors;
            seen.lost = past->second.lost;
            seen.taken_down = past->second.taken_down;
            for (const auto& [plural, budget] : past->second.repairs)
            {
                if (const auto wait = budget.wait(around_.timers.now()); wait.count() > 0)
                    seen.repair_waits[plural] = wait;
            }
        }
        return seen;
    }

    /// What is known of an offer that the API server does not keep.
    struct memory
    {
        std::string written_version;  ///< the offer's resourceVersion after our last write
        std::chrono::steady_clock::time_point written_at{};
        std::map<std::string, std::string, std::less<>> apply_errors;
        std::set<std::string, std::less<>> lost;        ///< kinds of children that somebody else has deleted
        std::set<std::string, std::less<>> taken_down;  ///< kinds of children that we have deleted
        std::map<std::string, offer::repair_budget, std::less<>> repairs;
        std::string told;  ///< with --dry-run: what was to be done
    };

    const process around_;
    const controller::options config_;
    const offer::plan_settings plan_settings_;
    std::unique_ptr<kube::api> server_;
    std::unique_ptr<http::client> probe_client_;
    task_group tasks_;
    task_group serving_;
    std::optional<kube::event_recorder> events_;
    controller::offer_metrics numbers_{around_.metrics};
    std::optional<controller::executor> executor_;
    std::optional<kube::controller> controller_;
    std::optional<controller::upstream_poller> upstreams_;
    std::optional<controller::model_poller> models_;
    std::optional<controller::gate_poller> gates_;
    std::optional<controller::discovery_service> discovery_;
    offer::path_index paths_;
    std::optional<offer::surroundings> around_offers_;
    std::map<object_key, memory> memory_;
    std::set<std::string> removed_by_us_;  ///< uids of children whose deletion is no news
    kube::object_informer* offers_ = nullptr;
    kube::object_informer* middlewares_ = nullptr;
    kube::object_informer* http_routes_ = nullptr;
    kube::object_informer* payment_routes_ = nullptr;
    kube::object_informer* registrations_ = nullptr;
    kube::object_informer* endpoints_ = nullptr;
    bool verifier_ready_ = false;
};

}  // namespace

std::unique_ptr<role> make_controller(const process& around, controller::options options)
{
    return std::make_unique<controller_role>(around, std::move(options));
}

}  // namespace portitor::roles

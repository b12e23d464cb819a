#include "roles/verifier/verifier.hpp"

#include "roles/kube_connection.hpp"
#include "roles/verifier/admission.hpp"
#include "roles/verifier/gate_metrics.hpp"
#include "roles/verifier/payment_desk.hpp"
#include "roles/verifier/payment_log.hpp"
#include "roles/verifier/settlement_nodes.hpp"
#include "roles/verifier/worker.hpp"
#include "route/credentials.hpp"
#include "route/gate_keys.hpp"
#include "route/route_record.hpp"
#include "route/route_table.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/core/published.hpp>
#include <portitor/core/small_file.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/http/client.hpp>
#include <portitor/kube/controller.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <thread>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;

// Longer than the 20 s that a payment may take.
constexpr std::chrono::seconds drain_limit(25);
constexpr int admission_workers = 8;
// Of the table of claims, one payer may hold a tenth, but so many in a small one too.
constexpr std::size_t least_of_payer = 64;
// How often certificates and credentials are read again; Kubernetes itself takes about a minute to change
// mounted files.
constexpr std::chrono::seconds file_period(10);

task_group::failure_handler fail_with(stop_signal& end)
{
    return [&end](const std::string&, const std::string&) { end.request(1); };
}

std::size_t thread_count(const verifier::options& options)
{
    return options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
}

class verifier_role final : public role
{
public:
    verifier_role(const process& around, verifier::options options)
        : around_(around), config_(std::move(options))
    {
        for (const config::facilitator& each : config_.lists.facilitators.entries)
            facilitator_urls_.insert(each.url);
    }

    ~verifier_role() override
    {
        // What runs on the threads refers to what goes before their contexts do.
        for (const auto& each : workers_)
            each->stop();
    }

    asio::awaitable<result<int>> run() override
    {
        auto assembled = assemble();
        if (!assembled)
            co_return assembled.error();
        background_.spawn("admission", admissions_->run(admission_end_));
        files_.spawn("route table", complete_table());
        files_.spawn("files", reread_files());
        for (const auto& each : workers_)
            each->start();
        around_.log.info("serving", {{"listen", config_.listen}, {"threads", workers_.size()}});
        co_await around_.stop.wait();
        draining_ = true;
        co_await around_.timers.sleep_for(config_.shutdown_delay);
        // Settlements under way are finished: their buyers have paid.
        co_await drain_workers();
        files_.cancel();
        co_await files_.join();
        admission_end_.request();
        co_await background_.join();
        co_return around_.stop.exit_code();
    }

private:
    result<void> assemble()
    {
        auto api = around_.connect();
        if (!api)
            return api.error();
        api_ = std::move(*api);
        for (const auto& [name, failure] : credentials_.refresh())
            around_.log.warn(
                "a credential is not there yet", {{"credential", name}, {"err", failure.message()}}
            );
        if (const auto read = gate_keys_.refresh(around_.timers.now()); !read)
            around_.log.warn(
                "the gate key is not there yet: what names a credential is not sold",
                {{"err", read.error().message()}}
            );
        const std::size_t count = thread_count(config_);
        for (std::size_t i = 0; i < count; ++i)
            workers_.push_back(std::make_unique<verifier::worker>(around_.log, [this](std::string what) {
                asio::post(around_.executor, [this, what = std::move(what)] { worker_failed(what); });
            }));
        auto gate = make_gate(workers_.front()->context().get_executor());
        if (!gate)
            return gate;
        watch_routes();
        around_.health.add_readiness("not draining", [this]() -> std::optional<std::string> {
            return draining_ ? std::optional<std::string>("shutting down") : std::nullopt;
        });
        return listen();
    }

    /// Everything that judges payments lives on one thread, the first worker's.
    result<void> make_gate(asio::any_io_executor executor)
    {
        http::client_settings pooling;
        pooling.max_idle_per_origin = 64;
        pooling.log = around_.log;
        auto client = http::make_client(executor, pooling);
        if (!client)
            return client.error();
        client_ = std::move(*client);
        auto nodes = verifier::settlement_nodes(
            *client_, around_.timers, config_.lists.chains, config_.lists.networks.table
        );
        if (!nodes)
            return nodes.error();
        if (!nodes->empty())
            chain_.emplace(std::move(*nodes), around_.timers);
        x402::claim_limits claim_limits;
        claim_limits.max_claims = config_.max_claims;
        claim_limits.max_of_payer = std::max<std::size_t>(config_.max_claims / 10, least_of_payer);
        claims_ = std::make_shared<x402::claim_table>(claim_limits);
        claims_->on_report([log = verifier::payment_log(around_.log)](const x402::claim_report& told) {
            log.write(told);
        });
        facilitator_.emplace(*client_);
        guard_.emplace(*facilitator_, around_.timers);
        x402::gate_limits limits;
        limits.validity.least = config_.max_validity;
        gate_.emplace(*guard_, claims_, around_.clock, limits, chain_ ? &*chain_ : nullptr);
        desk_.emplace(executor, *gate_, chain_ ? &*chain_ : nullptr);
        std::map<std::string, std::string> names;
        for (const config::facilitator& each : config_.lists.facilitators.entries)
            names[each.url] = each.name;
        gate_metrics_.emplace(around_.metrics, *gate_, *claims_, *guard_, std::move(names));
        gate_tasks_.emplace(executor, around_.log);
        gate_tasks_->spawn("payment metrics", gate_metrics_->keep_publishing());
        return {};
    }

    result<void> listen()
    {
        auto identity = read_identity();
        if (!identity)
            return identity.error();
        identity_ = std::move(*identity);
        std::string endpoint = config_.listen;
        for (const auto& each : workers_)
        {
            auto listening = each->listen(
                endpoint,
                workers_.size() > 1,
                identity_,
                table_,
                *desk_,
                config_.lists.networks.table,
                cors_,
                around_.metrics
            );
            if (!listening)
                return listening.error().within("--listen");
            // The first one of several may have been given any free port: the others share it.
            if (endpoint.ends_with(":0"))
                endpoint.replace(endpoint.size() - 1, 1, std::to_string(each->port()));
        }
        return {};
    }

    /// Nothing where TLS is not wanted.
    result<std::optional<http::server_tls>> read_identity() const
    {
        if (config_.tls_cert_file.empty())
            return std::optional<http::server_tls>();
        auto certificate = read_small_file(config_.tls_cert_file);
        if (!certificate)
            return certificate.error().within("--tls-cert-file");
        auto key = read_small_file(config_.tls_key_file);
        if (!key)
            return key.error().within("--tls-key-file");
        return std::optional(http::server_tls{std::move(*certificate), std::move(*key)});
    }

    asio::awaitable<void> reread_files()
    {
        for (;;)
        {
            co_await around_.timers.sleep_for(file_period);
            for (const auto& [name, failure] : credentials_.refresh())
                around_.log.warn(
                    "keeping the last value of a credential",
                    {{"credential", name}, {"err", failure.message()}}
                );
            if (const auto read = gate_keys_.refresh(around_.timers.now()); !read)
                around_.log.warn("keeping the last gate key", {{"err", read.error().message()}});
            reread_identity();
        }
    }

    void reread_identity()
    {
        auto identity = read_identity();
        if (!identity)
        {
            around_.log.warn("keeping the old certificate", {{"err", identity.error().message()}});
            return;
        }
        const auto same = [&] {
            return identity_->certificate == (*identity)->certificate &&
                   identity_->private_key == (*identity)->private_key;
        };
        if (!*identity || !identity_ || same())
            return;
        identity_ = std::move(*identity);
        around_.log.info("the certificate has changed");
        for (const auto& each : workers_)
            each->use_tls(*identity_);
    }

    void watch_routes()
    {
        writer_.emplace(*api_, around_.clock);
        kube::controller_options options;
        options.name = "admission";
        options.workers = admission_workers;
        // A verifier sells what it knows for as long as the API server is away: no restart would help.
        options.when_unsynced = kube::when_unsynced::wait;
        options.when_stale = kube::when_stale::warn;
        admissions_.emplace(environment_of(around_, *api_), std::move(options), [this](kube::object_key key) {
            return admit(std::move(key));
        });
        kube::selection all;
        all.filter = route::route_filter();
        records_ = &admissions_->watch<route::route_record>(
            api::payment_route_resource,
            all,
            [this](boost::json::object&& raw) {
                return route::route_record::read(
                    std::move(raw),
                    {config_.lists.networks.table, facilitator_urls_, credentials_, &gate_keys_}
                );
            },
            {},
            {},
            [](const kube::object_identity& which, boost::json::object&& raw, const std::string& why) {
                return route::route_record::unreadable(which, raw, why);
            }
        );
        records_->on_change([this](const kube::change<route::route_record>& of) { take_or_withhold(of); });
    }

    /// What cannot be taken in is not sold until it is, least of all at its old terms.
    void take_or_withhold(const kube::change<route::route_record>& of)
    {
        try
        {
            take(of);
        }
        catch (...)
        {
            for (const auto& each : {of.before, of.after})
            {
                if (each && each->served)
                    publish(newest_.without(each->served->key()));
            }
            throw;
        }
    }

    /// Puts a changed route into the table, or takes out what must not be served any more.
    void take(const kube::change<route::route_record>& of)
    {
        const route::route_ptr before = of.before ? of.before->served : nullptr;
        const route::route_ptr after = of.after ? of.after->served : nullptr;
        route::route_table next = newest_;
        if (before && (!after || after->key() != before->key()))
            next = next.without(before->key());
        if (after)
            next = next.with(entry_for(after));
        publish(std::move(next));
        if (of.after && !after)
            around_.log.warn(
                "refusing a route", {{"route", of.key().to_string()}, {"err", of.after->refusal}}
            );
        if (of.after)
            admissions_->queue().add_after(of.key(), writer_->patience());
    }

    route::entry_ptr entry_for(const route::route_ptr& route)
    {
        route::table_entry made;
        made.route = route;
        const route::entry_ptr& known = newest_.find(route->key());
        made.counters =
            known ? known->counters : std::make_shared<route::route_counters>(around_.metrics, route->key());
        return std::make_shared<const route::table_entry>(std::move(made));
    }

    void publish(route::route_table next)
    {
        newest_ = std::move(next);
        table_.set(std::make_shared<const route::route_table>(newest_));
        routes_gauge_.set(static_cast<std::int64_t>(newest_.size()));
    }

    asio::awaitable<void> complete_table()
    {
        co_await records_->wait_synced();
        publish(newest_.completed());
    }

    asio::awaitable<kube::reconcile_result> admit(kube::object_key key)
    {
        auto route = records_->objects().find(key);
        if (!route)
            co_return kube::reconcile_result(std::nullopt);
        co_return co_await writer_->reconcile(std::move(route));
    }

    void worker_failed(const std::string& what)
    {
        around_.log.error("a serving thread ended", {{"err", what}});
        around_.stop.request(1);
    }

    /// On the gate's thread: settlements whose buyers have been told to come again are waited for too.
    asio::awaitable<void> finish_payments(std::chrono::steady_clock::time_point deadline)
    {
        co_await gate_->finish(deadline);
        claims_->report_left();
        gate_tasks_->cancel();
    }

    asio::awaitable<void> drain_workers()
    {
        const auto deadline = std::chrono::steady_clock::now() + drain_limit;
        task_group draining(around_.executor, around_.log);
        for (const auto& each : workers_)
            draining.spawn("drain", each->drain(drain_limit));
        co_await draining.join();
        asio::awaitable<void> finishing = finish_payments(deadline);
        auto apart = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
        co_await asio::co_spawn(workers_.front()->context().get_executor(), std::move(finishing), apart);
        // The first one judges the payments of all others.
        for (auto at = workers_.rbegin(); at != workers_.rend(); ++at)
            (*at)->join();
    }

    const process around_;
    const verifier::options config_;
    std::set<std::string> facilitator_urls_;
    route::credential_store credentials_{config_.lists.credentials.entries};
    route::gate_keys gate_keys_{config_.gate_key_file};
    const verifier::cors_policy cors_{config_.cors_origins};
    std::optional<http::server_tls> identity_;

    // The routes: written here, read by the workers.
    route::route_table newest_;
    published<route::route_table> table_{std::make_shared<const route::route_table>()};
    gauge& routes_gauge_ = around_.metrics.gauge("portitor_routes", "Routes that are served");

    // Sockets and timers of everything below belong to the contexts of these.
    std::vector<std::unique_ptr<verifier::worker>> workers_;

    // The gate and what it works with: on the first worker's thread.
    std::unique_ptr<http::client> client_;
    std::optional<x402::rpc_settlement_chain> chain_;
    std::shared_ptr<x402::claim_table> claims_;
    std::optional<x402::http_facilitator> facilitator_;
    std::optional<x402::guarded_facilitator> guard_;
    std::optional<x402::gate> gate_;
    std::optional<verifier::payment_desk> desk_;
    std::optional<verifier::gate_metrics> gate_metrics_;
    std::optional<task_group> gate_tasks_;

    std::unique_ptr<kube::api> api_;
    std::optional<verifier::admission_writer> writer_;
    std::optional<kube::controller> admissions_;
    kube::informer<route::route_record>* records_ = nullptr;
    bool draining_ = false;

    stop_signal admission_end_{around_.executor};
    task_group files_{around_.executor, around_.log, fail_with(around_.stop)};
    task_group background_{around_.executor, around_.log, fail_with(around_.stop)};
};

}  // namespace

std::unique_ptr<role> make_verifier(const process& around, verifier::options options)
{
    return std::make_unique<verifier_role>(around, std::move(options));
}

}  // namespace portitor::roles

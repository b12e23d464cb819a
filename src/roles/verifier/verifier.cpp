#include "roles/verifier/verifier.hpp"

#include "roles/kube_connection.hpp"
#include "roles/verifier/admission.hpp"
#include "roles/verifier/forward_auth.hpp"
#include "roles/verifier/route_record.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/core/http_client.hpp>
#include <portitor/core/http_server.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/controller.hpp>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;

// Longer than the 20 s that a payment may take.
constexpr std::chrono::seconds drain_limit(25);
constexpr int worker_count = 8;

task_group::failure_handler fail_with(stop_signal& end)
{
    return [&end](const std::string&, const std::string&) { end.request(1); };
}

class verifier_role final : public role
{
public:
    verifier_role(const process& around, const settings& config) : around_(around), config_(config)
    {
        for (const facilitator& each : config.facilitators)
            facilitator_urls_.insert(each.url);
    }

    asio::awaitable<result<int>> run() override
    {
        auto assembled = assemble();
        if (!assembled)
            co_return assembled.error();
        background_.spawn("admission", admissions_->run(admission_end_));
        serving_.spawn("listener", server_->run());
        around_.log.info("serving", {{"listen", config_.listen}});
        co_await around_.end.wait();
        draining_ = true;
        // Settlements under way are finished: their buyers have paid.
        co_await server_->drain(drain_limit);
        serving_.cancel();
        co_await serving_.join();
        admission_end_.request();
        co_await background_.join();
        co_return around_.end.exit_code();
    }

private:
    result<void> assemble()
    {
        auto api = connect(around_, config_);
        if (!api)
            return api.error();
        api_ = std::move(*api);
        auto client = http::make_client(around_.executor, http::client_settings());
        if (!client)
            return client.error();
        client_ = std::move(*client);
        facilitator_.emplace(*client_);
        gate_.emplace(*facilitator_, std::make_shared<x402::claim_table>(), around_.time);
        watch_routes();
        forward_auth_.emplace(
            routes_,
            *gate_,
            config_.networks,
            [this] { return records_->synced(); },
            around_.log,
            around_.numbers
        );
        server_.emplace(around_.executor, around_.log, [this](const http::request& message) {
            return forward_auth_->answer(message);
        });
        around_.checks.add_readiness("not draining", [this]() -> std::optional<std::string> {
            return draining_ ? std::optional<std::string>("shutting down") : std::nullopt;
        });
        auto listening = server_->listen(config_.listen);
        if (!listening)
            return listening.error().within("--listen");
        return {};
    }

    void watch_routes()
    {
        writer_.emplace(*api_, around_.time);
        kube::controller_options options;
        options.name = "admission";
        options.workers = worker_count;
        // A verifier sells what it knows for as long as the API server is away: no restart would help.
        options.when_unsynced = kube::when_unsynced::wait;
        options.when_stale = kube::when_stale::warn;
        admissions_.emplace(environment_of(around_, *api_), std::move(options), [this](kube::object_key key) {
            return admit(std::move(key));
        });
        records_ = &admissions_->watch<verifier::route_record>(
            api::payment_route_resource,
            {},
            [this](boost::json::object&& raw) {
                return verifier::route_record::read(std::move(raw), allowed());
            },
            {}
        );
        records_->on_change([this](const kube::change<verifier::route_record>& of) { take(of); });
    }

    verifier::served_route::limits allowed() const { return {config_.networks, facilitator_urls_}; }

    /// Puts a changed route into the table, or takes out what must not be served any more.
    void take(const kube::change<verifier::route_record>& of)
    {
        const std::string before = of.before && of.before->served ? of.before->served->key() : std::string();
        const std::string after = of.after && of.after->served ? of.after->served->key() : std::string();
        if (!before.empty() && before != after)
            routes_.erase(before);
        if (!after.empty())
            routes_.put(of.after->served);
        if (of.after && after.empty())
            around_.log.warn(
                "refusing a route", {{"route", of.key().to_string()}, {"err", of.after->refusal}}
            );
        if (of.after)
            admissions_->queue().add_after(of.key(), writer_->patience());
        routes_gauge_.set(static_cast<std::int64_t>(routes_.size()));
    }

    asio::awaitable<kube::reconcile_result> admit(kube::object_key key)
    {
        auto route = records_->objects().find(key);
        if (!route)
            co_return kube::reconcile_result(std::nullopt);
        co_return co_await writer_->reconcile(std::move(route));
    }

    const process around_;
    const settings& config_;
    std::set<std::string> facilitator_urls_;
    task_group serving_{around_.executor, around_.log, fail_with(around_.end)};
    task_group background_{around_.executor, around_.log, fail_with(around_.end)};
    stop_signal admission_end_{around_.executor};
    verifier::route_table routes_;
    gauge& routes_gauge_ = around_.numbers.gauge("portitor_routes", "Routes that are served");
    std::unique_ptr<kube::api> api_;
    std::unique_ptr<http::client> client_;
    std::optional<x402::http_facilitator> facilitator_;
    std::optional<x402::gate> gate_;
    std::optional<verifier::admission_writer> writer_;
    std::optional<kube::controller> admissions_;
    kube::informer<verifier::route_record>* records_ = nullptr;
    std::optional<verifier::forward_auth> forward_auth_;
    std::optional<http::server> server_;
    bool draining_ = false;
};

}  // namespace

std::unique_ptr<role> make_verifier(const process& around, const settings& config)
{
    return std::make_unique<verifier_role>(around, config);
}

}  // namespace portitor::roles

#include "roles/verifier/verifier.hpp"

#include "roles/verifier/admission.hpp"
#include "roles/verifier/forward_auth.hpp"
#include "roles/verifier/route_table.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/core/http_client.hpp>
#include <portitor/core/http_server.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/informer.hpp>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;

// Longer than the 20 s that a payment may take.
constexpr std::chrono::seconds drain_limit(25);

class verifier_role final : public role
{
public:
    verifier_role(const process& around, const settings& config)
        : around_(around), config_(config),
          tasks_(around.executor, around.log, [this](const auto&, const auto&) { around_.end.request(1); })
    {
        for (const facilitator& each : config.facilitators)
            facilitator_urls_.insert(each.url);
    }

    asio::awaitable<result<int>> run() override
    {
        auto assembled = assemble();
        if (!assembled)
            co_return assembled.error();
        tasks_.spawn("watch PaymentRoute", informer_->run());
        admission_->start();
        serving_.spawn("listener", server_->run());
        around_.log.info("serving", {{"listen", config_.listen}});
        co_await around_.end.wait();
        draining_ = true;
        // Settlements under way are finished: their buyers have paid.
        co_await server_->drain(drain_limit);
        admission_->close();
        serving_.cancel();
        tasks_.cancel();
        co_await serving_.join();
        co_await tasks_.join();
        co_return around_.end.exit_code();
    }

private:
    result<void> assemble()
    {
        auto connection = kube::load_connection(config_.kubeconfig, config_.context);
        if (!connection)
            return connection.error();
        auto api = kube::make_api(around_.executor, std::move(*connection), around_.log, around_.numbers);
        if (!api)
            return api.error();
        api_ = std::move(*api);
        auto client = http::make_client(around_.executor, http::client_settings());
        if (!client)
            return client.error();
        client_ = std::move(*client);
        facilitator_.emplace(*client_);
        gate_.emplace(*facilitator_, std::make_shared<x402::claim_table>(), around_.time);
        informer_.emplace(
            around_.executor,
            *api_,
            api::payment_route_resource,
            kube::selection(),
            around_.log,
            around_.numbers
        );
        const verifier::served_route::limits allowed{config_.networks, facilitator_urls_};
        admission_.emplace(*api_, *informer_, tasks_, allowed, around_.time, around_.log, around_.numbers);
        informer_->on_change([this](const kube::change& of) { take(of); });
        forward_auth_.emplace(
            routes_,
            *gate_,
            config_.networks,
            [this] { return informer_->synced(); },
            around_.log,
            around_.numbers
        );
        server_.emplace(around_.executor, around_.log, [this](const http::request& message) {
            return forward_auth_->answer(message);
        });
        around_.checks.add_readiness("routes listed", [this]() -> std::optional<std::string> {
            return informer_->synced() ? std::nullopt : std::optional<std::string>("no full list yet");
        });
        around_.checks.add_readiness("not draining", [this]() -> std::optional<std::string> {
            return draining_ ? std::optional<std::string>("shutting down") : std::nullopt;
        });
        auto listening = server_->listen(config_.listen);
        if (!listening)
            return listening.error().within("--listen");
        return {};
    }

    /// Puts a changed route into the table, or takes out what must not be served any more.
    void take(const kube::change& of)
    {
        const verifier::served_route::limits allowed{config_.networks, facilitator_urls_};
        const auto known = keys_.find(of.key);
        const std::string before = known == keys_.end() ? std::string() : known->second;
        std::string after;
        if (of.after)
        {
            auto compiled = verifier::served_route::compile(*of.after, allowed);
            if (compiled)
            {
                after = (*compiled)->key();
                routes_.put(std::move(*compiled));
                keys_[of.key] = after;
            }
            else
                around_.log.warn(
                    "refusing a route", {{"route", of.key.to_string()}, {"err", compiled.error().message()}}
                );
            admission_->consider(of.key);
        }
        if (!before.empty() && before != after)
            routes_.erase(before);
        if (after.empty())
            keys_.erase(of.key);
        routes_gauge_.set(static_cast<std::int64_t>(routes_.size()));
    }

    const process around_;
    const settings& config_;
    std::set<std::string> facilitator_urls_;
    task_group tasks_;
    task_group serving_{around_.executor, around_.log};
    verifier::route_table routes_;
    std::map<kube::object_key, std::string> keys_;  ///< which table entry a PaymentRoute stands for
    gauge& routes_gauge_ = around_.numbers.gauge("portitor_routes", "Routes that are served");
    std::unique_ptr<kube::api> api_;
    std::unique_ptr<http::client> client_;
    std::optional<x402::http_facilitator> facilitator_;
    std::optional<x402::gate> gate_;
    std::optional<kube::informer> informer_;
    std::optional<verifier::admission_writer> admission_;
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

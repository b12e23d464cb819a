#include "roles/verifier/verifier.hpp"

#include "roles/verifier/payment_service.hpp"
#include "roles/verifier/routes.hpp"
#include "roles/verifier/worker.hpp"
#include "route/credentials.hpp"
#include "route/gate_keys.hpp"

#include <portitor/core/small_file.hpp>
#include <portitor/core/task_group.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <thread>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;

// Longer than the 20 s that a payment may take. With what the ledger takes to leave (10 s) and the admissions
// (2 s) it must fit into the pod's grace period (charts/portitor/templates/verifier/_pod.tpl).
constexpr std::chrono::seconds drain_limit(25);
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
    {}

    ~verifier_role() override
    {
        // What runs on the threads refers to what goes before their contexts do.
        for (const auto& each : workers_)
            each->stop();
        // Grants that were being written go back to the engine's strand, which is the first one's.
        while (workers_.size() > 1)
            workers_.pop_back();
    }

    asio::awaitable<result<int>> run() override
    {
        auto assembled = assemble();
        if (!assembled)
            co_return assembled.error();
        background_.spawn("admission", routes_->run(admission_end_));
        files_.spawn("route table", routes_->complete());
        files_.spawn("files", reread_files());
        for (const auto& each : workers_)
            each->start();
        if (config_.ledger == verifier::in_memory)
            around_.log.warn(
                "payments are remembered in memory only: a restart forgets those in doubt, answers that are "
                "paid for and not delivered, and the book of sales; name a file with --ledger",
                {{"ledger", config_.ledger}}
            );
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
        auto payments =
            verifier::payment_service::make(around_, config_, workers_.front()->context().get_executor());
        if (!payments)
            return payments.error();
        payments_ = std::move(*payments);
        payments_->start();
        routes_.emplace(around_, *api_, config_, credentials_, gate_keys_);
        around_.health.add_readiness("not draining", [this]() -> std::optional<std::string> {
            return draining_ ? std::optional<std::string>("shutting down") : std::nullopt;
        });
        // Free paths and 402s go on, and no other pod would do better.
        around_.health.add_warning("ledger", [this] { return payments_->away(); });
        return listen();
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
                routes_->table(),
                payments_->counter(),
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

    void worker_failed(const std::string& what)
    {
        around_.log.error("a serving thread ended", {{"err", what}});
        around_.stop.request(1);
    }

    asio::awaitable<void> drain_workers()
    {
        const auto deadline = std::chrono::steady_clock::now() + drain_limit;
        task_group draining(around_.executor, around_.log);
        for (const auto& each : workers_)
            draining.spawn("drain", each->drain(drain_limit));
        co_await draining.join();
        asio::awaitable<void> finishing = payments_->finish(deadline);
        auto apart = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
        co_await asio::co_spawn(workers_.front()->context().get_executor(), std::move(finishing), apart);
        // The first one judges the payments of all others.
        for (auto at = workers_.rbegin(); at != workers_.rend(); ++at)
            (*at)->join();
    }

    const process around_;
    const verifier::options config_;
    route::credential_store credentials_{config_.lists.credentials.entries};
    route::gate_keys gate_keys_{config_.gate_key_file};
    const verifier::cors_policy cors_{config_.cors_origins};
    std::optional<http::server_tls> identity_;

    // Sockets and timers of everything below belong to the contexts of these. The first one's is the strand
    // of payments.
    std::vector<std::unique_ptr<verifier::worker>> workers_;
    std::unique_ptr<verifier::payment_service> payments_;
    std::unique_ptr<kube::api> api_;
    std::optional<verifier::routes> routes_;
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

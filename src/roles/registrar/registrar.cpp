#include "roles/registrar/registrar.hpp"

#include "roles/registrar/verdict.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/informer.hpp>
#include <portitor/kube/work_queue.hpp>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;
using kube::object_key;
using kube::object_ptr;

class registrar_role final : public role
{
public:
    registrar_role(const process& around, const settings& config)
        : around_(around), config_(config),
          tasks_(around.executor, around.log, [this](const auto&, const auto&) { around_.end.request(1); }),
          queue_(around.executor, "registrationrequest", around.numbers)
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
        requests_.emplace(
            around_.executor,
            *server_,
            api::registration_request_resource,
            kube::selection(),
            around_.log,
            around_.numbers
        );
        requests_->on_change([this](const kube::change& of) { queue_.add(of.key); });
        around_.checks.add_readiness("watch synced", [this]() -> std::optional<std::string> {
            return requests_->synced() ? std::nullopt : std::optional<std::string>("not listed yet");
        });
        around_.log.info("no chain is configured: every request ends as OffChainOnly");
        tasks_.spawn("watch RegistrationRequest", requests_->run());
        // One at a time, as transactions of one account have to go.
        tasks_.spawn("worker", work());
        co_await around_.end.wait();
        queue_.close();
        tasks_.cancel();
        co_await tasks_.join();
        co_return around_.end.exit_code();
    }

private:
    asio::awaitable<void> work()
    {
        co_await requests_->wait_synced();
        for (;;)
        {
            const auto key = co_await queue_.get();
            if (!key)
                co_return;
            auto done = co_await execute(*key);
            if (done)
                queue_.forget(*key);
            else
            {
                around_.log.warn(
                    "a request failed, will try again",
                    {{"request", key->to_string()}, {"err", done.error().message()}}
                );
                queue_.add_failed(*key);
            }
            queue_.done(*key);
        }
    }

    asio::awaitable<result<void>> execute(object_key key)
    {
        const object_ptr live = requests_->objects().find(key);
        if (!live)
            co_return result<void>();
        auto owned = co_await is_owned(*live);
        if (!owned)
            co_return owned.error();
        if (!*owned)
        {
            around_.log.warn("ignoring a request that no ServiceOffer owns", {{"request", key.to_string()}});
            co_return result<void>();
        }
        const auto request = api::parse_registration_request(*live);
        if (!request)
            co_return request.error();
        const auto said =
            registrar::judge_without_chain(*request, api::read_registration_state(*live), *live);
        if (!said)
            co_return result<void>();
        auto written = co_await server_->apply(
            api::registration_request_resource,
            registrar::status_body(*live, *said, around_.time.now()),
            std::string(api::registrar_field_manager),
            "status"
        );
        if (!written && !written.error().is_not_found() && !written.error().is_conflict())
            co_return written.error().to_error();
        around_.log.info(
            "request settled", {{"request", key.to_string()}, {"phase", api::to_string(said->phase)}}
        );
        co_return result<void>();
    }

    /// Only a living ServiceOffer with the owner's UID gives a request its right to be executed, terminating
    /// or not.
    asio::awaitable<result<bool>> is_owned(const kube::object& request)
    {
        const kube::owner_reference* owner = request.meta.controller();
        if (!owner || owner->kind != api::service_offer_resource.kind)
            co_return false;
        const object_key key{request.meta.ns, owner->name};
        const std::string uid = owner->uid;
        auto offer = co_await server_->get(api::service_offer_resource, key);
        if (!offer && offer.error().is_not_found())
            co_return false;
        if (!offer)
            co_return offer.error().to_error();
        co_return (*offer)->meta.uid == uid;
    }

    const process around_;
    const settings& config_;
    std::unique_ptr<kube::api> server_;
    task_group tasks_;
    kube::work_queue queue_;
    std::optional<kube::informer> requests_;
};

}  // namespace

std::unique_ptr<role> make_registrar(const process& around, const settings& config)
{
    return std::make_unique<registrar_role>(around, config);
}

}  // namespace portitor::roles

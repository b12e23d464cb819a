#include "roles/registrar/registrar.hpp"

#include "roles/kube_connection.hpp"
#include "roles/registrar/verdict.hpp"

#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/kube/apply_status.hpp>
#include <portitor/kube/controller.hpp>

#include <set>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;
using kube::object_key;
using kube::object_ptr;

// Between two looks whether all is done.
constexpr std::chrono::milliseconds look_period(200);

std::shared_ptr<const kube::object_filter> without_annotations()
{
    using filter = kube::field_filter;
    const filter metadata =
        filter::all_but({{"annotations", filter::nothing()}, {"labels", filter::nothing()}});
    return std::make_shared<const kube::object_filter>(kube::object_filter{
        filter::all_but({{"metadata", metadata}})});
}

class registrar_role final : public role
{
public:
    registrar_role(const process& around, registrar::options options)
        : around_(around), config_(std::move(options)),
          tasks_(around.executor, around.log, [this](const auto&, const auto&) { around_.stop.request(1); })
    {}

    asio::awaitable<result<int>> run() override
    {
        auto server = around_.connect();
        if (!server)
            co_return server.error();
        server_ = std::move(*server);
        kube::controller_options options;
        options.name = "registrationrequest";
        // One at a time, as transactions of one account have to go.
        options.workers = 1;
        options.lease = config_.lease.lease("portitor-registrar");
        kube::controller requests(
            environment_of(around_, *server_),
            std::move(options),
            [this](object_key key) { return attempt(std::move(key)); }
        );
        kube::selection all;
        all.filter = without_annotations();
        requests_ = &requests.watch(api::registration_request_resource, all, kube::own_key<kube::object>);
        if (config_.until_done)
            requests.on_start([&] { tasks_.spawn("end of the work", end_when_done(requests.queue())); });
        around_.log.info("no chain is configured: every request ends as OffChainOnly");
        co_await requests.run(around_.stop);
        tasks_.cancel();
        co_await tasks_.join();
        co_return around_.stop.exit_code();
    }

private:
    asio::awaitable<void> end_when_done(kube::work_queue& queue)
    {
        do
            co_await around_.timers.sleep_for(look_period);
        while (queue.depth() > 0 || queue.in_work() > 0 || !failing_.empty());
        around_.log.info("every request has been executed");
        around_.stop.request();
    }

    asio::awaitable<kube::reconcile_result> attempt(object_key key)
    {
        failing_.insert(key);
        auto done = co_await execute(key);
        if (done)
            failing_.erase(key);
        co_return done;
    }

    asio::awaitable<kube::reconcile_result> execute(object_key key)
    {
        const kube::reconcile_result done(std::nullopt);
        const object_ptr live = requests_->objects().find(key);
        // The watch has told which one cannot be read, and why.
        if (!live || !live->unreadable.empty())
            co_return done;
        auto owned = co_await is_owned(*live);
        if (!owned)
            co_return owned.error();
        if (!*owned)
        {
            around_.log.warn("ignoring a request that no ServiceOffer owns", {{"request", key.to_string()}});
            co_return done;
        }
        const auto request = api::parse_registration_request(*live);
        if (!request)
            co_return request.error();
        const auto said =
            registrar::judge_without_chain(*request, api::read_registration_state(*live), *live);
        if (!said)
            co_return done;
        auto written = co_await kube::apply_status(
            *server_,
            api::registration_request_resource,
            static_cast<const kube::object_identity&>(live->meta),
            registrar::status_of(*live, *said, around_.clock.now()),
            std::string(api::registrar_field_manager)
        );
        if (!written)
            co_return written.error();
        around_.log.info(
            "request settled", {{"request", key.to_string()}, {"phase", api::to_string(said->phase)}}
        );
        co_return done;
    }

    /// Only a living ServiceOffer with the owner's UID gives a request its right to be executed, terminating
    /// or not.
    asio::awaitable<result<bool>> is_owned(const kube::object& request)
    {
        const kube::owner_reference* owner = api::owning_offer(request.meta);
        if (!owner)
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
    const registrar::options config_;
    std::unique_ptr<kube::api> server_;
    kube::object_informer* requests_ = nullptr;
    task_group tasks_;
    std::set<object_key> failing_;  ///< whose last attempt has not succeeded, however it ended
};

}  // namespace

std::unique_ptr<role> make_registrar(const process& around, registrar::options options)
{
    return std::make_unique<registrar_role>(around, std::move(options));
}

}  // namespace portitor::roles

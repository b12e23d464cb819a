#include "roles/registrar/registrar.hpp"

#include "roles/kube_connection.hpp"
#include "roles/registrar/completion.hpp"
#include "roles/registrar/executor.hpp"
#include "roles/registrar/numbers.hpp"
#include "roles/served_schema.hpp"

#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/core/task_group.hpp>
#include <portitor/http/client.hpp>
#include <portitor/kube/controller.hpp>
#include <portitor/kube/events.hpp>
#include <portitor/kube/object_filter.hpp>

namespace portitor::roles {

namespace {

namespace asio = boost::asio;
using kube::object_key;
using kube::object_ptr;

// Between two looks whether all is done.
constexpr std::chrono::milliseconds look_period(200);
// Requests that are looked at beside each other, most of which wait for a node; and of one namespace.
constexpr int workers = 8;
constexpr std::size_t workers_of_namespace = 2;

class registrar_role final : public role
{
public:
    registrar_role(const process& around, registrar::options options)
        : around_(around), config_(std::move(options)),
          tasks_(around.executor, around.log, [this](const auto&, const auto&) { around_.stop.request(1); }),
          completion_(around.timers)
    {}

    asio::awaitable<result<int>> run() override
    {
        auto server = around_.connect();
        if (!server)
            co_return server.error();
        server_ = std::move(*server);
        auto client = http::make_client(around_.executor, {});
        if (!client)
            co_return client.error();
        client_ = std::move(*client);
        kube::controller_options options;
        options.name = "registrationrequest";
        options.workers = workers;
        options.prepare = [this] { return learn_schema(); };
        // A Job says that it cannot do its work; a service waits until it can.
        if (ends_by_itself())
            options.when_unsynced = kube::when_unsynced::give_up;
        kube::controller requests(
            environment_of(around_, *server_),
            std::move(options),
            [this](object_key key) { return attempt(std::move(key)); }
        );
        requests.queue().share_out(workers_of_namespace);
        queue_ = &requests.queue();
        kube::selection all;
        all.filter = kube::without_labels_and_annotations();
        requests_ = &requests.watch(api::registration_request_resource, all, kube::own_key<kube::object>);
        make_executor();
        if (ends_by_itself())
            requests.on_start([&] { tasks_.spawn("end of the work", end_when_done()); });
        tasks_.spawn("served schemas", follow_served_schema(*server_, around_.timers, served_, [this] {
                         take_schema();
                     }));
        co_await requests.run(around_.stop);
        tasks_.cancel();
        co_await tasks_.join();
        co_await accounts_->release();
        co_return around_.stop.exit_code();
    }

private:
    void make_executor()
    {
        const bool allow_http = config_.chains.allow_insecure;
        const kube::environment around = environment_of(around_, *server_);
        events_.emplace(around, tasks_, "portitor-registrar");
        news_.emplace(*events_, around_.log, around_.metrics);
        signers_.emplace(*client_, *server_, config_.key, around_.timers);
        links_.emplace(*client_, around_.timers, allow_http);
        accounts_.emplace(
            around,
            [this](const std::string& name) { return config_.lease.lease(name); },
            around_.stop,
            [this](registrar::account& which) { executor_->on_lead(which); }
        );
        executor_.emplace(registrar::surroundings{
            *server_,
            around_.clock,
            config_,
            *signers_,
            *links_,
            *accounts_,
            *news_,
            served_,
            [this] { return all_requests(); },
            [this](const object_key& key) { queue_->add(key); }});
        numbers_.emplace(around_.metrics, around_.clock, *accounts_, *links_, [this] {
            return all_requests();
        });
        if (!signers_->has_operators())
            around_.log.info("no key is given (--key-file or --signer-url): requests without a key of "
                             "their own end as OffChainOnly");
    }

    /// Before anything is judged by them.
    asio::awaitable<void> learn_schema()
    {
        if (co_await look_at_served_schema(*server_, served_))
            take_schema();
    }

    void take_schema()
    {
        if (served_.request_lacks.empty())
            around_.log.info("the API server's RegistrationRequest is whole");
        else
            around_.log.warn(
                "nothing is sent: the API server's RegistrationRequest is not that of this version",
                {{"reason", "ForeignSchema"}, {"lacks", served_.request_lacks}}
            );
        for (const object_ptr& each : all_requests())
            queue_->add(each->meta.key());
    }

    bool ends_by_itself() const { return config_.until_done || !config_.request.name.empty(); }

    bool is_asked_for(const object_key& key) const
    {
        return config_.request.name.empty() || key == config_.request;
    }

    std::vector<object_ptr> all_requests() const
    {
        std::vector<object_ptr> out;
        // The predecessor's are none of ours.
        for (const auto& [key, each] : requests_->objects().all())
        {
            if (!api::is_predecessors(*each))
                out.push_back(each);
        }
        return out;
    }

    asio::awaitable<kube::reconcile_result> attempt(object_key key)
    {
        // Of others only what is under way is followed, as it holds the account's nonce.
        object_ptr live = requests_->objects().find(key);
        if (live && api::is_predecessors(*live))
            live = nullptr;
        co_return co_await executor_->attempt(key, std::move(live), !is_asked_for(key));
    }

    /// How far the requests are that this process runs for.
    struct tally
    {
        bool found = false;
        bool open = false;
        std::vector<std::pair<object_key, std::string>> failures;  ///< and why
    };

    void count(tally& into, const kube::object& request)
    {
        const object_key key = request.meta.key();
        const bool left_alone = executor_->left_alone(key);
        const auto now = completion_.look(request);
        using registrar::progress;
        into.found = true;
        // What is nobody's is told to nobody who did not ask for it.
        if (left_alone && now.progress == progress::open && config_.until_done)
            return;
        if (now.progress == progress::failed || left_alone)
            into.failures.emplace_back(key, now.why.empty() ? "nothing can be done for it" : now.why);
        else if (now.progress != progress::done)
            into.open = true;
    }

    tally count_all()
    {
        tally out;
        out.open = queue_->depth() > 0 || queue_->in_work() > 0;
        for (const object_ptr& each : all_requests())
        {
            if (is_asked_for(each->meta.key()))
                count(out, *each);
        }
        return out;
    }

    /// Ends the process when nothing is open any more.
    asio::awaitable<void> end_when_done()
    {
        tally at_last;
        do
        {
            co_await around_.timers.sleep_for(look_period);
            at_last = count_all();
        } while (at_last.open);
        auto& failures = at_last.failures;
        if (!config_.until_done && !at_last.found)
            failures.emplace_back(config_.request, "there is no such RegistrationRequest");
        for (const auto& [key, why] : failures)
            around_.log.error("a request was not executed", {{"request", key.to_string()}, {"why", why}});
        if (failures.empty())
            around_.log.info("every request has been executed");
        around_.stop.request(failures.empty() ? 0 : 1);
    }

    const process around_;
    const registrar::options config_;
    std::unique_ptr<kube::api> server_;
    std::unique_ptr<http::client> client_;
    api::served_schema served_;
    kube::object_informer* requests_ = nullptr;
    kube::work_queue* queue_ = nullptr;
    task_group tasks_;
    registrar::completion completion_;
    std::optional<kube::event_recorder> events_;
    std::optional<registrar::news> news_;
    std::optional<registrar::signers> signers_;
    std::optional<registrar::chain_links> links_;
    std::optional<registrar::accounts> accounts_;
    std::optional<registrar::executor> executor_;
    std::optional<registrar::numbers> numbers_;
};

}  // namespace

std::unique_ptr<role> make_registrar(const process& around, registrar::options options)
{
    return std::make_unique<registrar_role>(around, std::move(options));
}

}  // namespace portitor::roles

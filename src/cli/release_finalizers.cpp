#include "cli/release_finalizers.hpp"

#include "cli/held_objects.hpp"
#include "cli/options/shared.hpp"
#include "cli/yaml.hpp"
#include "roles/kube_connection.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/kube/finalizer.hpp>
#include <portitor/kube/lease_record.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <ostream>
#include <vector>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;

// Long enough for whoever uninstalls to delete the controller, short enough for whoever installs again at
// once.
constexpr std::chrono::seconds lease_duration(60);
// Objects between two renewals of the Lease: a few seconds of a slow API server.
constexpr std::size_t renewal_interval = 200;
// What has been changed since it was listed is listed again.
constexpr unsigned most_rounds = 5;
constexpr const char* holder = "portitor release-finalizers";

struct options
{
    std::string ns;  ///< --release-namespace, where the controller's Lease is
    std::chrono::seconds lease_duration{15};
    bool dry_run = false;
    std::string output;

    void declare(config::loader& into)
    {
        into.add(switch_option("dry-run", "says what it would do, and writes nothing", dry_run));
        into.add(output_option(output, {"text", "json", "yaml"}));
        config::option where{
            "release-namespace",
            "namespace of Portitor's release, where its controller has its Lease",
            "portitor",
            config::set_text(ns)};
        where.placeholder = "NAMESPACE";
        into.add(std::move(where));
        into.add(config::lease_duration_option(lease_duration));
    }
    result<void> resolve() { return {}; }
};

/// One run of the command.
class release
{
public:
    release(const roles::process& around, const console& terminal, const options& config)
        : around_(around), terminal_(terminal), config_(config)
    {}

    asio::awaitable<result<int>> run()
    {
        auto server = around_.connect();
        if (!server)
            co_return server.error();
        server_ = std::move(*server);
        auto done = config_.dry_run ? co_await show() : co_await stop_and_release();
        // Also of what was cut off: so much has been done.
        if (is_for_programs())
            print(done.has_value());
        co_return done;
    }

private:
    bool is_for_programs() const { return config_.output != "text"; }

    /// At once: whoever waits wants to see how far it is.
    void say(const std::string& line) const
    {
        (is_for_programs() ? terminal_.err : terminal_.out) << line << std::endl;
    }

    void print(bool is_complete)
    {
        const json::object all{
            {"dryRun", config_.dry_run}, {"complete", is_complete}, {"objects", std::move(objects_)}};
        terminal_.out << (config_.output == "yaml" ? to_yaml(all) : json::serialize(all) + "\n");
    }

    asio::awaitable<result<int>> stop_and_release()
    {
        auto stopped = co_await stop_controller();
        if (!stopped)
            co_return stopped.error().within("taking the controller's Lease");
        co_return co_await release_all();
    }

    asio::awaitable<result<int>> show()
    {
        auto all = co_await list_held(*server_, around_.stop);
        if (!all)
            co_return all.error();
        for (const held& each : *all)
        {
            say(describe(each) + ": would be released");
            tell_on_chain(each);
            objects_.push_back(to_json(each, false));
        }
        say(fmt::format("{} objects would be released, nothing was changed", all->size()));
        co_return 0;
    }

    asio::awaitable<result<int>> release_all()
    {
        std::size_t released = 0;
        for (unsigned round = 0; round < most_rounds; ++round)
        {
            auto all = co_await list_held(*server_, around_.stop);
            if (!all)
                co_return all.error();
            if (all->empty())
            {
                say(fmt::format("{} objects released", released));
                co_return 0;
            }
            for (std::size_t i = 0; i < all->size(); ++i)
            {
                if (i % renewal_interval == 0)
                {
                    auto renewed = co_await seize_lease();
                    if (!renewed)
                        co_return renewed.error().within("keeping the controller's Lease");
                }
                auto done = co_await let_go((*all)[i]);
                if (!done)
                    co_return done.error().within(describe((*all)[i]));
                released += *done ? 1 : 0;
            }
        }
        co_return fail(
            errc::conflict,
            "objects are held again as soon as they are released: a controller without leader election may "
            "be running; stop it, and try again"
        );
    }

    /// False where somebody has changed the object in the meantime.
    asio::awaitable<result<bool>> let_go(const held& each)
    {
        auto patch = kube::remove_finalizer_patch(each.meta, api::finalizer);
        auto patched = co_await server_->patch(each.kind, each.meta.key(), std::move(*patch));
        if (!patched && (patched.error().http_status() == 422 || patched.error().is_not_found()))
            co_return false;
        if (!patched)
            co_return patched.error().to_error();
        say(describe(each) + ": released");
        tell_on_chain(each);
        objects_.push_back(to_json(each, true));
        co_return true;
    }

    void tell_on_chain(const held& each) const
    {
        if (const auto& there = each.on_chain)
            say(fmt::format(
                "  stays registered: agent \"{}\" on {}, transaction \"{}\"",
                there->agent_id,
                there->chain,
                there->transaction
            ));
    }

    /// Returns when no controller can be leading any more.
    asio::awaitable<result<void>> stop_controller()
    {
        auto before = co_await seize_lease();
        if (!before)
            co_return before.error().within("namespace " + config_.ns + " (--release-namespace)");
        if (before->holder.empty() || before->holder == holder)
            co_return result<void>();
        const auto wait = before->duration.count() > 0 ? before->duration : config_.lease_duration;
        say(fmt::format(
            "the controller {} has lost its Lease: waiting for {} s until it has ended",
            before->holder,
            wait.count()
        ));
        co_await around_.timers.sleep_for(wait);
        co_return result<void>();
    }

    /// Holds the controller's Lease from now on, whoever had it. Returns the record from before.
    asio::awaitable<result<kube::lease_record>> seize_lease()
    {
        const kube::object_key key{config_.ns, roles::controller_lease};
        for (;;)
        {
            auto live = co_await server_->get(kube::leases, key, kube::request_class::lease);
            if (!live && !live.error().is_not_found())
                co_return live.error().to_error();
            kube::object_ptr seen;
            kube::lease_record before;
            if (live)
            {
                seen = *live;
                before = kube::read_lease(*seen);
            }
            // It must outlast the wait for whoever had it.
            if (before.holder != holder)
                duration_ = before.duration + lease_duration;
            auto written = co_await write_lease(key, seen);
            if (written)
                co_return before;
            // Renewed in the meantime.
            if (!written.error().is_conflict())
                co_return written.error().to_error();
        }
    }

    asio::awaitable<kube::api_result<kube::object_ptr>>
    write_lease(kube::object_key key, kube::object_ptr live)
    {
        const auto now = around_.clock.now();
        constexpr auto urgent = kube::request_class::lease;
        if (!live)
        {
            auto wanted = kube::first_lease(key, holder, duration_, now);
            co_return co_await server_->create(kube::leases, std::move(wanted), urgent);
        }
        auto wanted = kube::claimed_lease(*live, holder, duration_, now);
        co_return co_await server_->replace(kube::leases, std::move(wanted), urgent);
    }

    const roles::process& around_;
    const console& terminal_;
    const options& config_;
    std::unique_ptr<kube::api> server_;
    json::array objects_;                             ///< what was let go, or would be
    std::chrono::seconds duration_ = lease_duration;  ///< of the Lease as we write it
};

}  // namespace

std::unique_ptr<action> make_release_finalizers()
{
    return std::make_unique<run_action<release, options>>();
}

}  // namespace portitor::cli

#include "cli/sell/create.hpp"

#include "cli/cluster/no_cluster.hpp"
#include "cli/output/complaint.hpp"
#include "cli/output/text.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/create_options.hpp"
#include "cli/sell/outcome.hpp"
#include "cli/sell/preconditions.hpp"
#include "cli/sell/spec_changes.hpp"
#include "cli/sell/waiting.hpp"

#include <portitor/api/conditions.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

/// Of our server-side applies.
constexpr const char* field_manager = "portitor-sell";

/// One run of the command.
class creation
{
public:
    creation(const roles::process& around, const console& terminal, create_options& config)
        : around_(around), terminal_(terminal), config_(config),
          // Where the result is data, all that is said beside it goes elsewhere.
          say_(config.common.is_text() && !config.dry_run ? terminal.out : terminal.err)
    {}

    asio::awaitable<result<int>> run()
    {
        auto manifest = config_.make_manifest(terminal_);
        if (!manifest)
            co_return refuse_usage(terminal_.err, manifest.error());
        key_ = {
            kube::string_at(*manifest, "metadata.namespace"), kube::string_at(*manifest, "metadata.name")};
        auto server = around_.connect();
        if (!server && !config_.dry_run)
            co_return server.error();
        server_ = server ? std::move(*server) : std::make_unique<no_cluster>();
        const auto known = co_await config_.common.read_settings(*server_, terminal_);
        if (!known)
            co_return known.error();
        const auto checked = co_await check(*manifest, server ? std::string() : server.error().message());
        if (!checked)
            co_return checked.error();
        if (config_.dry_run)
        {
            // Without -o it is what somebody would put into a file.
            if (!config_.common.is_data())
                config_.common.output = "yaml";
            print_data(config_.common, terminal_, *manifest);
        }
        if (!*checked)
            co_return fail(
                errc::invalid,
                "ServiceOffer {} {}: see the errors above",
                key_.to_string(),
                config_.dry_run ? "would not be sold" : "was not written"
            );
        if (config_.dry_run)
            co_return 0;
        auto written = co_await write(std::move(*manifest));
        if (!written)
            co_return written.error();
        co_return co_await finish(std::move(*written));
    }

private:
    asio::awaitable<kube::api_result<kube::object_ptr>> apply(json::object manifest, bool dry_run)
    {
        kube::apply_options how;
        how.field_manager = field_manager;
        how.force = config_.force_conflicts;
        how.dry_run = dry_run;
        auto applied = co_await server_->apply(api::service_offer_resource, manifest, how);
        // What `sell stop` and `sell register` have set is ours too.
        if (applied || how.force || !is_only_our_conflict(applied.error()))
            co_return applied;
        how.force = true;
        co_return co_await server_->apply(api::service_offer_resource, std::move(manifest), how);
    }

    void print(const findings& found) { found.print(say_, terminal_.colour); }

    /// Whether nobody can be asked, who asks may not, or the namespace is yet to be made: no obstacle for
    /// what writes nothing.
    bool may_go_unchecked(const kube::api_error& why) const
    {
        return config_.dry_run &&
               (why.http_status() == 0 || why.http_status() >= 500 || why.http_status() == 401 ||
                why.http_status() == 403 || why.http_status() == 404);
    }

    /// False where something prevents it. `offline`: why there is no API server, or empty.
    asio::awaitable<result<bool>> check(json::object manifest, std::string offline)
    {
        say_ << "Checks of ServiceOffer " << printable(key_.to_string(), 320) << ":\n";
        findings by_whom;
        by_whom.add(
            config_.common.settings.known() ? finding_level::ok : finding_level::not_checked,
            "settings",
            config_.common.settings_source()
        );
        print(by_whom);
        if (!offline.empty())
            co_return check_offline(manifest, offline);
        const auto live = co_await server_->get(api::service_offer_resource, key_);
        if (!live && !live.error().is_not_found() && may_go_unchecked(live.error()))
            co_return check_offline(
                manifest, in_words(live.error(), "get", api::service_offer_resource, key_).message()
            );
        if (!live && !live.error().is_not_found())
            co_return in_words(live.error(), "get", api::service_offer_resource, key_);
        before_ = live ? *live : nullptr;
        if (before_ && before_->meta.deleted)
            co_return fail(
                errc::conflict, "ServiceOffer {} is being deleted: wait until it is gone", key_.to_string()
            );
        co_return co_await check_with_cluster(std::move(manifest));
    }

    bool check_offline(const json::object& manifest, const std::string& why)
    {
        findings found = check_alone(manifest, config_.common.settings, around_.clock.now());
        found.add(finding_level::not_checked, "cluster", why);
        print(found);
        return !found.has_error();
    }

    asio::awaitable<bool> check_with_cluster(json::object manifest)
    {
        const auto tried = co_await apply(manifest, true);
        findings found;
        if (!tried)
            found.add(
                may_go_unchecked(tried.error()) ? finding_level::not_checked : finding_level::error,
                "offer",
                in_words(tried.error(), "patch", api::service_offer_resource, key_).message()
            );
        if (!tried && !found.has_error())
            found.add(check_schema(manifest));
        print(found);
        const findings judged = co_await check_offer(
            around_, *server_, config_.common.settings, tried ? (*tried)->raw : manifest, !before_
        );
        print(judged);
        if (tried && before_)
            tell_changes(**tried);
        co_return !found.has_error() && !judged.has_error();
    }

    void tell_changes(const kube::object& now)
    {
        const auto changes = spec_changes(before_->spec(), now.spec());
        if (changes.empty())
            return;
        say_ << "It is there already; this changes:\n";
        for (const std::string& each : changes)
            say_ << "  " << each << '\n';
    }

    asio::awaitable<result<kube::object_ptr>> write(json::object manifest)
    {
        auto applied = co_await apply(std::move(manifest), false);
        if (!applied)
            co_return in_words(applied.error(), "patch", api::service_offer_resource, key_);
        co_return *applied;
    }

    const char* what_was_done(const kube::object& now) const
    {
        if (!before_)
            return "created";
        return before_->meta.resource_version == now.meta.resource_version ? "unchanged" : "updated";
    }

    asio::awaitable<result<int>> finish(kube::object_ptr written)
    {
        const char* done = what_was_done(*written);
        const bool waits = config_.waits.wanted();
        result<waited> ended = waited::done;
        if (waits)
        {
            say_ << fmt::format(
                "Written. Waiting until it is sold, {} at most (what is written stays):\n",
                age_in_words(config_.waits.timeout)
            );
            progress told(say_, terminal_.colour, around_.timers);
            ended = co_await follow(around_, *server_, written, config_.waits.timeout, told, &is_ready);
            if (!ended)
                co_return ended.error();
        }
        tell(*written, done);
        co_await show_outcome(config_.common, terminal_, around_, *server_, done, written);
        if (*ended != waited::done)
            co_return unfinished(
                *ended, config_.waits.timeout, *written, "is not sold yet", api::condition_type::ready
            );
        co_return 0;
    }

    void tell(const kube::object& offer, const char* done)
    {
        const std::string url = kube::string_at(offer.status(), "endpoint");
        say_ << fmt::format(
            "ServiceOffer {} {} (type: {})\n",
            key_.to_string(),
            done,
            printable(kube::string_or(offer.spec(), "type", "http"), 40)
        );
        if (!url.empty())
            say_ << "URL: " << printable(url) << '\n';
        say_ << fmt::format(
            "See how it stands:     portitor sell status {0} -n {1}\n"
            "Ask it without paying: portitor sell test {0} -n {1}\n",
            key_.name,
            key_.ns
        );
    }

    const roles::process& around_;
    const console& terminal_;
    create_options& config_;
    std::ostream& say_;
    kube::object_key key_;
    std::unique_ptr<kube::api> server_;
    kube::object_ptr before_;  ///< null where there was none
};

}  // namespace

std::unique_ptr<action> make_http()
{
    return std::make_unique<run_action<creation, create_options>>(create_options(api::offer_type::http));
}

std::unique_ptr<action> make_inference()
{
    return std::make_unique<run_action<creation, create_options>>(create_options(api::offer_type::inference));
}

}  // namespace portitor::cli::sell

#include "cli/sell/create.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/create_options.hpp"
#include "cli/sell/preconditions.hpp"
#include "cli/sell/spec_changes.hpp"
#include "cli/sell/waiting.hpp"

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
          say_(config.common.output == "text" ? terminal.out : terminal.err)
    {}

    asio::awaitable<result<int>> run()
    {
        auto manifest = config_.make_manifest(terminal_);
        if (!manifest)
            co_return manifest.error();
        key_ = {
            kube::string_at(*manifest, "metadata.namespace"), kube::string_at(*manifest, "metadata.name")};
        if (config_.dry_run)
        {
            // Without -o it is what somebody would put into a file.
            if (config_.common.output == "text")
                config_.common.output = "yaml";
            print_data(config_.common, terminal_, *manifest);
            co_return 0;
        }
        auto server = co_await config_.common.connect_with_settings(around_, terminal_);
        if (!server)
            co_return server.error();
        server_ = std::move(*server);
        auto checked = co_await check(*manifest);
        if (!checked)
            co_return checked.error();
        if (!*checked)
            co_return fail(
                errc::invalid, "ServiceOffer {} was not written: see the errors above", key_.to_string()
            );
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

    /// False where something prevents it.
    asio::awaitable<result<bool>> check(json::object manifest)
    {
        const auto live = co_await server_->get(api::service_offer_resource, key_);
        if (!live && !live.error().is_not_found())
            co_return in_words(live.error(), "get", api::service_offer_resource, key_);
        before_ = live ? *live : nullptr;
        if (before_ && before_->meta.deleted)
            co_return fail(
                errc::conflict, "ServiceOffer {} is being deleted: wait until it is gone", key_.to_string()
            );
        say_ << "Checks of ServiceOffer " << key_.to_string() << ":\n";
        const auto tried = co_await apply(manifest, true);
        findings found;
        if (!tried)
            found.add(
                finding_level::error,
                "offer",
                in_words(tried.error(), "patch", api::service_offer_resource, key_).message()
            );
        found.print(say_, terminal_.colour);
        const findings judged = co_await check_offer(
            around_, *server_, config_.common.settings, tried ? (*tried)->raw : manifest, !before_
        );
        judged.print(say_, terminal_.colour);
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
        const bool waits = config_.wait && !config_.no_wait;
        if (waits)
        {
            auto last = co_await wait_for_sale(written);
            if (!last)
                co_return last.error();
            written = *last;
        }
        print(*written, done);
        co_return waits && !is_ready(*written) ? 1 : 0;
    }

    /// The offer as it is in the end.
    asio::awaitable<result<kube::object_ptr>> wait_for_sale(kube::object_ptr written)
    {
        say_ << fmt::format(
            "Written. Waiting until it is sold, {} s at most (what is written stays):\n",
            config_.timeout.count()
        );
        progress told(say_, terminal_.colour, around_.timers);
        kube::object_ptr last = written;
        const look done = [&](const kube::object_ptr& live) {
            if (!live || live->meta.uid != written->meta.uid)
                return true;
            last = live;
            told.show(*live);
            return is_ready(*live);
        };
        const auto ended = co_await wait_until(around_, *server_, key_, config_.timeout, done);
        if (!ended)
            co_return ended.error();
        if (!is_ready(*last))
            say_ << fmt::format(
                "It is not sold yet. What prevents it, and what to do: portitor sell status {} -n {}\n",
                key_.name,
                key_.ns
            );
        co_return last;
    }

    void print(const kube::object& offer, const char* done)
    {
        if (config_.common.is_data())
            return print_data(config_.common, terminal_, offer.raw);
        if (config_.common.output == "name")
        {
            terminal_.out << "serviceoffer.obol.org/" << key_.name << '\n';
            return;
        }
        const std::string url = kube::string_at(offer.status(), "endpoint");
        terminal_.out << fmt::format(
            "ServiceOffer {} {} (type: {})\n",
            key_.to_string(),
            done,
            kube::string_or(offer.spec(), "type", "http")
        );
        if (!url.empty())
            terminal_.out << "URL: " << printable(url) << '\n';
        terminal_.out << fmt::format(
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

#include "cli/sell/create.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/offer_file.hpp"
#include "cli/sell/offer_flags.hpp"
#include "cli/sell/preconditions.hpp"
#include "cli/sell/spec_changes.hpp"
#include "cli/sell/text_file.hpp"
#include "cli/sell/waiting.hpp"

#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

/// Of our server-side applies.
constexpr const char* field_manager = "portitor-sell";

struct create_options
{
    explicit create_options(api::offer_type type) : flags(type) {}

    std::string name;
    offer_flags flags;
    common_options common;
    std::string file;  ///< --from-json; "-" is standard input
    bool dry_run = false;
    bool wait = true;
    bool no_wait = false;
    bool force_conflicts = false;
    std::chrono::seconds timeout{60};

    void declare(config::loader& into)
    {
        into.positional(offer_word(name, false));
        flags.declare(into);
        const config::headed how = into.under("How");
        config::option from{
            "from-json",
            "a manifest or a spec, in JSON or YAML; flags go before it. - is standard input",
            "",
            config::set_text(file)};
        from.placeholder = "FILE";
        how.add(std::move(from));
        how.add(switch_option("dry-run", "prints the manifest, and writes nothing", dry_run));
        config::option waits{
            "wait", "waits until it is sold; --no-wait does not", "true", config::set_bool(wait), true};
        how.add(std::move(waits));
        how.add(switch_option("no-wait", "ends when it is written", no_wait));
        how.add(timeout_option(timeout, "60s"));
        how.add(
            switch_option("force-conflicts", "takes over fields that somebody else has set", force_conflicts)
        );
        common.declare(into, {"text", "json", "yaml", "name"});
    }

    result<void> resolve()
    {
        auto resolved = common.resolve();
        if (!resolved || !file.empty())
            return resolved;
        if (name.empty())
            return fail(errc::invalid, "NAME is missing: name of the offer");
        // What is wrong with the flags is told before anybody is asked for anything.
        const auto spec = flags.make_spec({});
        return spec ? result<void>() : spec.error();
    }
};

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
        auto manifest = make_manifest();
        if (!manifest)
            co_return manifest.error();
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
    result<json::object> make_manifest()
    {
        written_offer base;
        if (!config_.file.empty())
        {
            auto text = read_text(config_.file, terminal_.in);
            if (!text)
                return text.error().within("--from-json");
            auto read = read_offer_file(*text);
            if (!read)
                return read.error().within("--from-json " + config_.file);
            base = std::move(*read);
        }
        if (!config_.name.empty() && !base.name.empty() && config_.name != base.name)
            return fail(
                errc::invalid,
                "NAME is {}, and --from-json names {}: write one of them",
                printable(config_.name, 100),
                printable(base.name, 100)
            );
        key_ = {config_.common.ns, config_.name.empty() ? base.name : config_.name};
        if (key_.ns.empty())
            key_.ns = base.ns.empty() ? terminal_.default_namespace : base.ns;
        if (key_.name.empty())
            return fail(errc::invalid, "NAME is missing: name of the offer");
        auto spec = config_.flags.make_spec(std::move(base.spec));
        if (!spec)
            return spec.error();
        json::object meta{{"name", key_.name}, {"namespace", key_.ns}};
        if (!base.labels.empty())
            meta["labels"] = std::move(base.labels);
        if (!base.annotations.empty())
            meta["annotations"] = std::move(base.annotations);
        return json::object{
            {"apiVersion", api::service_offer_resource.api_version()},
            {"kind", api::service_offer_resource.kind},
            {"metadata", std::move(meta)},
            {"spec", std::move(*spec)}};
    }

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
            around_, *server_, config_.common.settings, tried ? (*tried)->raw : std::move(manifest), !before_
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
        bool good = true;
        kube::object_ptr last = written;
        if (config_.wait && !config_.no_wait)
        {
            say_ << fmt::format(
                "Written. Waiting until it is sold, {} s at most (what is written stays):\n",
                config_.timeout.count()
            );
            progress told(say_, terminal_.colour, around_.timers);
            const auto ended = co_await wait_until(
                around_,
                *server_,
                key_,
                config_.timeout,
                [&](const kube::object_ptr& live) {
                    if (!live || live->meta.uid != written->meta.uid)
                        return true;
                    last = live;
                    told.show(*live);
                    return is_ready(*live);
                }
            );
            if (!ended)
                co_return ended.error();
            good = is_ready(*last);
            if (!good)
                say_ << fmt::format(
                    "It is not sold yet. What prevents it, and what to do: portitor sell status {} -n {}\n",
                    key_.name,
                    key_.ns
                );
        }
        print(*last, done);
        co_return good ? 0 : 1;
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

class create_action final : public action
{
public:
    explicit create_action(api::offer_type type) : options_(type) {}

    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        creation work(around, terminal, options_);
        co_return co_await work.run();
    }

private:
    create_options options_;
};

}  // namespace

std::unique_ptr<action> make_http()
{
    return std::make_unique<create_action>(api::offer_type::http);
}

std::unique_ptr<action> make_inference()
{
    return std::make_unique<create_action>(api::offer_type::inference);
}

}  // namespace portitor::cli::sell

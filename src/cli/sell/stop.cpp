#include "cli/sell/stop.hpp"

#include "cli/sell/common_options.hpp"
#include "cli/sell/confirm.hpp"
#include "cli/sell/spec_edit.hpp"
#include "cli/sell/waiting.hpp"
#include "offer/drain.hpp"
#include "offer/status.hpp"

#include <portitor/config/setters.hpp>

#include <functional>
#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

/// When a stopped offer is taken down; nothing where its spec cannot be read.
std::optional<clock::time_point> end_of(const kube::object& offer, clock::time_point now)
{
    const auto spec = api::parse_service_offer(offer);
    return spec && spec->drain_at ? std::optional(offer::ending_of(*spec, now).sold_until) : std::nullopt;
}

bool is_drained(const kube::object& offer)
{
    return kube::int_at(offer.status(), "observedGeneration") == offer.meta.generation &&
           kube::string_at(offer.status(), "phase") == offer::phase::drained;
}

struct stop_options
{
    std::string name;
    std::string grace;
    bool now = false;
    bool yes = false;
    bool wait = false;
    std::chrono::seconds timeout{0};
    common_options common;

    void declare(config::loader& into)
    {
        into.positional(offer_word(name));
        const config::headed how = into.under("How");
        config::option period{
            "grace", "for how long it is still sold, such as 90m (1h)", "", config::set_text(grace)};
        period.placeholder = "DURATION";
        how.add(std::move(period));
        config::option at_once = switch_option("now", "the same as --grace 0s", now);
        at_once.aliases = {"force"};
        how.add(std::move(at_once));
        config::option sure = switch_option("yes", "asks nothing", yes);
        sure.is_typed_only = true;
        sure.letter = 'y';
        how.add(std::move(sure));
        how.add(switch_option("wait", "waits until it is taken down", wait));
        how.add(timeout_option(timeout, "120m"));
        common.declare(into, {"text", "json", "yaml"});
    }

    result<void> resolve()
    {
        if (now && !grace.empty())
            return fail(errc::invalid, "--now is --grace 0s: give one of them");
        return common.resolve();
    }

    std::string period() const { return now ? "0s" : grace.empty() ? "1h" : grace; }
};

class stop_action final : public action
{
public:
    void declare(config::loader& into) override { options_.declare(into); }
    result<void> resolve() override { return options_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        auto server = co_await options_.common.connect(around, terminal);
        if (!server)
            co_return server.error();
        const kube::object_key key = options_.common.key(options_.name);
        const auto live = co_await read_offer(**server, key);
        if (!live)
            co_return live.error();
        const auto sure = confirm(
            terminal,
            fmt::format(
                "Stop ServiceOffer {}? It stays paid for {}, and is then taken down.",
                key.to_string(),
                options_.period()
            ),
            options_.yes
        );
        if (!sure)
            co_return sure.error();
        if (!*sure)
        {
            terminal.err << "Nothing was changed\n";
            co_return 1;
        }
        const std::string begin = to_rfc3339(around.clock.now());
        const auto set_end = [&](json::object& spec) {
            spec["drainAt"] = begin;
            spec["drainGracePeriod"] = options_.period();
            return result<void>();
        };
        const auto sooner = ends_sooner(**live, set_end, around.clock.now());
        if (!sooner)
            co_return sooner.error();
        if (!*sooner)
            co_return co_await tell(around, terminal, **server, *live);
        const auto stopped = co_await edit_spec(**server, key, set_end);
        if (!stopped)
            co_return stopped.error();
        co_return co_await tell(around, terminal, **server, *stopped);
    }

private:
    /// Whether the offer would end sooner than it does anyway: to stop it once more must not sell it for
    /// longer, let alone again. An error where the new end is none.
    static result<bool> ends_sooner(
        const kube::object& live,
        const std::function<result<void>(json::object&)>& edit,
        clock::time_point now
    )
    {
        json::object changed = live.raw;
        auto edited = edit(changed["spec"].as_object());
        if (!edited)
            return edited.error();
        const auto wanted = kube::parse_object(std::move(changed));
        if (!wanted)
            return wanted.error();
        const auto spec = api::parse_service_offer(**wanted);
        const auto before = end_of(live, now);
        // What else is wrong with it does not keep anybody from ending it.
        if (!spec && spec.error().message().find("drainGracePeriod") != std::string::npos)
            return spec.error().within("--grace");
        return !spec || !before || offer::ending_of(*spec, now).sold_until < *before;
    }

    asio::awaitable<result<int>>
    tell(const roles::process& around, const console& terminal, kube::api& server, kube::object_ptr offer)
    {
        std::ostream& say = options_.common.is_data() ? terminal.err : terminal.out;
        const auto until = end_of(*offer, around.clock.now());
        say << fmt::format(
            "ServiceOffer {0} stopped: {1}\nTo sell it again: portitor sell resume {2} -n {3}\n",
            offer->meta.key().to_string(),
            until && *until <= around.clock.now()
                ? "it is taken down"
                : fmt::format(
                      "it stays paid until {}, never free, and is then taken down",
                      until ? to_rfc3339(*until) : "its end"
                  ),
            offer->meta.name,
            offer->meta.ns
        );
        say.flush();
        if (options_.wait)
        {
            progress told(say, terminal.colour, around.timers);
            const auto ended = co_await follow(around, server, offer, options_.timeout, told, &is_drained);
            if (!ended)
                co_return ended.error();
            if (*ended != waited::done)
                co_return fail(errc::timed_out, "{} is not taken down yet", offer->meta.key().to_string());
            say << "It is taken down\n";
        }
        if (options_.common.is_data())
            print_data(options_.common, terminal, offer->raw);
        co_return 0;
    }

    stop_options options_;
};

class resume_action final : public action
{
public:
    void declare(config::loader& into) override
    {
        into.positional(offer_word(name_));
        common_.declare(into, {"text", "json", "yaml"});
    }

    result<void> resolve() override { return common_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        auto server = co_await common_.connect(around, terminal);
        if (!server)
            co_return server.error();
        const kube::object_key key = common_.key(name_);
        bool was_stopped = false;
        const auto resumed = co_await edit_spec(**server, key, [&](json::object& spec) {
            was_stopped = spec.contains("drainAt");
            spec.erase("drainAt");
            spec.erase("drainGracePeriod");
            return result<void>();
        });
        if (!resumed)
            co_return resumed.error();
        if (common_.is_data())
            print_data(common_, terminal, (*resumed)->raw);
        else
            terminal.out << fmt::format(
                "ServiceOffer {0} {1}\nSee how it stands: portitor sell status {2} -n {3}\n",
                key.to_string(),
                was_stopped ? "is sold again" : "was not stopped: nothing was changed",
                key.name,
                key.ns
            );
        co_return 0;
    }

private:
    std::string name_;
    common_options common_;
};

}  // namespace

std::unique_ptr<action> make_stop()
{
    return std::make_unique<stop_action>();
}

std::unique_ptr<action> make_resume()
{
    return std::make_unique<resume_action>();
}

}  // namespace portitor::cli::sell

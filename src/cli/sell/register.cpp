#include "cli/sell/register.hpp"

#include "cli/output/complaint.hpp"
#include "cli/output/text.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/confirm.hpp"
#include "cli/sell/hints.hpp"
#include "cli/sell/outcome.hpp"
#include "cli/sell/predecessor.hpp"
#include "cli/sell/registration_flags.hpp"
#include "cli/sell/spec_edit.hpp"
#include "cli/sell/spec_fields.hpp"
#include "cli/sell/waiting.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;
namespace because = api::because;

namespace {

/// The condition Registered of the present generation; nothing while there is none.
std::optional<kube::condition> registered(const kube::object& offer)
{
    const auto conditions = kube::parse_conditions(offer.status());
    const auto* found = kube::find_condition(conditions, api::condition_type::registered);
    if (!found || found->observed_generation != offer.meta.generation)
        return std::nullopt;
    return *found;
}

struct register_options
{
    std::string name;
    bool enable = false;
    bool disable = false;
    bool yes = false;
    wait_options waits;
    registration_flags flags;
    common_options common;

    void declare(config::loader& into)
    {
        into.positional(offer_word(name));
        const config::headed how = into.under("How");
        how.add(switch_option("enable", "registers it (default)", enable));
        how.add(switch_option("disable", "ends the registration: it is marked as retired", disable));
        how.add(yes_option(yes));
        waits.declare(how, "until that is done", "2m");
        flags.declare(into, "");
        declare_replaced(into, "register");
        common.declare(into, {"name"});
    }

    result<void> resolve()
    {
        if (enable && disable)
            return fail(errc::invalid, "--enable and --disable are given: give one of them");
        if (disable && !flags.empty())
            return fail(
                errc::invalid, "--disable ends the registration: leave out what says how it is to be"
            );
        json::object unused;
        auto filled = flags.fill(unused, "--");
        return filled ? common.resolve() : filled;
    }
};

class register_run
{
public:
    register_run(const roles::process& around, const console& terminal, register_options& config)
        : around_(around), terminal_(terminal), config_(config),
          say_(config.common.is_text() ? terminal.out : terminal.err)
    {}

    asio::awaitable<result<int>> run()
    {
        const bool is_sure = config_.yes || !config_.disable;
        const auto consent = check_consent(terminal_, is_sure);
        if (!consent)
            co_return refuse_usage(terminal_.err, consent.error());
        auto server = co_await config_.common.connect(around_, terminal_);
        if (!server)
            co_return server.error();
        const std::string question = fmt::format(
            "End the registration of ServiceOffer {}? What is on chain of it is marked as retired.",
            config_.common.key(config_.name).to_string()
        );
        if (!confirm(terminal_, question, is_sure))
            co_return 1;
        auto edited = co_await edit_spec(
            **server,
            config_.common.key(config_.name),
            [this](const kube::object&, json::object& spec) {
                json::object& registration = child(spec, "registration");
                registration["enabled"] = !config_.disable;
                return config_.flags.fill(registration, "--");
            }
        );
        if (!edited)
            co_return edited.error();
        co_return co_await tell(**server, *edited);
    }

private:
    /// True is done, and so is what only somebody else can change.
    bool is_decided(const kube::object& offer) const
    {
        const auto now = registered(offer);
        return now && now->status != "Unknown" &&
               (!config_.disable || now->reason == because::disabled.name || now->status == "False");
    }

    asio::awaitable<result<int>> tell(kube::api& server, kube::object_ptr offer)
    {
        say_ << fmt::format(
            "ServiceOffer {}: registration is {}\n",
            config_.common.key(config_.name).to_string(),
            config_.disable ? "switched off" : "asked for"
        );
        const char* done = config_.disable ? "disabled" : "enabled";
        if (!config_.waits.wanted())
        {
            co_await show_outcome(config_.common, terminal_, around_, server, done, offer);
            co_return 0;
        }
        progress told(say_, terminal_.colour, around_.timers);
        const auto decided = [this](const kube::object& now) { return is_decided(now); };
        const auto ended = co_await follow(around_, server, offer, config_.waits.timeout, told, decided);
        if (!ended)
            co_return ended.error();
        const auto now = *ended == waited::done ? registered(*offer) : std::nullopt;
        if (now)
            tell_condition(*now, *offer);
        co_await show_outcome(config_.common, terminal_, around_, server, done, offer);
        if (now)
            co_return now->is_true() ? 0 : 1;
        co_return unfinished(
            *ended,
            config_.waits.timeout,
            *offer,
            config_.disable ? "is not retired yet" : "is not registered yet",
            api::condition_type::registered
        );
    }

    void tell_condition(const kube::condition& now, const kube::object& offer)
    {
        say_ << fmt::format("{}: {}\n", printable(now.reason, 100), printable(now.message));
        const auto what = hint_for(now, offer);
        if (now.is_true() || !what)
            return;
        say_ << sentence(*what) << '\n';
        if (!what->command.empty())
            say_ << "  " << what->command << '\n';
    }

    const roles::process& around_;
    const console& terminal_;
    register_options& config_;
    std::ostream& say_;
};

}  // namespace

std::unique_ptr<action> make_register()
{
    return std::make_unique<run_action<register_run, register_options>>();
}

}  // namespace portitor::cli::sell

#include "cli/sell/register.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/hints.hpp"
#include "cli/sell/offer_flags.hpp"
#include "cli/sell/spec_edit.hpp"
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

class register_action final : public action
{
public:
    void declare(config::loader& into) override
    {
        into.positional(offer_word(name_));
        const config::headed how = into.under("How");
        how.add(switch_option("enable", "registers it, which is the default", enable_));
        how.add(switch_option("disable", "ends the registration: it is marked as retired", disable_));
        config::option waits{
            "wait", "waits until that is done; --no-wait does not", "true", config::set_bool(wait_), true};
        how.add(std::move(waits));
        how.add(switch_option("no-wait", "ends when it is written", no_wait_));
        how.add(timeout_option(timeout_, "2m"));
        flags_.declare(into, "");
        common_.declare(into, {"text", "json", "yaml"});
    }

    result<void> resolve() override
    {
        if (enable_ && disable_)
            return fail(errc::invalid, "--enable and --disable are given: give one of them");
        if (disable_ && !flags_.empty())
            return fail(
                errc::invalid, "--disable ends the registration: leave out what says how it is to be"
            );
        json::object unused;
        auto filled = flags_.fill(unused, "--");
        return filled ? common_.resolve() : filled;
    }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        auto server = co_await common_.connect(around, terminal);
        if (!server)
            co_return server.error();
        const kube::object_key key = common_.key(name_);
        auto edited = co_await edit_spec(**server, key, [this](json::object& spec) {
            json::value& registration = spec["registration"];
            if (!registration.is_object())
                registration = json::object();
            registration.get_object()["enabled"] = !disable_;
            return flags_.fill(registration.get_object(), "--");
        });
        if (!edited)
            co_return edited.error();
        co_return co_await tell(around, terminal, **server, *edited);
    }

private:
    /// True is done, and so is what only somebody else can change.
    bool is_decided(const kube::object& offer) const
    {
        const auto now = registered(offer);
        return now && now->status != "Unknown" &&
               (!disable_ || now->reason == because::disabled.name || now->status == "False");
    }

    asio::awaitable<result<int>>
    tell(const roles::process& around, const console& terminal, kube::api& server, kube::object_ptr offer)
    {
        std::ostream& say = common_.is_data() ? terminal.err : terminal.out;
        const std::string key = offer->meta.key().to_string();
        say << fmt::format(
            "ServiceOffer {}: registration is {}\n", key, disable_ ? "switched off" : "asked for"
        );
        const bool waits = wait_ && !no_wait_;
        if (waits)
        {
            progress told(say, terminal.colour, around.timers);
            const auto decided = [this](const kube::object& now) { return is_decided(now); };
            const auto ended = co_await follow(around, server, offer, timeout_, told, decided);
            if (!ended)
                co_return ended.error();
        }
        if (common_.is_data())
            print_data(common_, terminal, offer->raw);
        if (!waits)
            co_return 0;
        const auto now = registered(*offer);
        if (!now)
        {
            say << "The controller has not looked at it yet; see that it runs\n";
            co_return 1;
        }
        say << fmt::format("{}: {}\n", printable(now->reason, 100), printable(now->message));
        if (const auto what = hint_for(now->reason, *offer); what && !now->is_true())
            say << what->words << '\n';
        co_return now->is_true() ? 0 : 1;
    }

    std::string name_;
    bool enable_ = false;
    bool disable_ = false;
    bool wait_ = true;
    bool no_wait_ = false;
    std::chrono::seconds timeout_{120};
    registration_flags flags_;
    common_options common_;
};

}  // namespace

std::unique_ptr<action> make_register()
{
    return std::make_unique<register_action>();
}

}  // namespace portitor::cli::sell

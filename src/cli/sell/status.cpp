#include "cli/sell/status.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/offer_list.hpp"
#include "cli/sell/status_view.hpp"

#include <portitor/config/setters.hpp>

#include <algorithm>
#include <ostream>
#include <sstream>

namespace portitor::cli::sell {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause(1000);
constexpr const char* clear_screen = "\x1b[H\x1b[2J";

struct status_options
{
    std::string name;
    bool all = false;
    bool watch = false;
    std::chrono::seconds timeout{0};  ///< 0: none
    common_options common;

    void declare(config::loader& into)
    {
        into.positional(offer_word(name, false));
        into.add(all_namespaces_option(all));
        into.add(switch_option("watch", "shows it again whenever it changes, until it is Ready", watch, 'w'));
        into.add(timeout_option(timeout, "0s", "ends --watch; 0s: never"));
        common.declare(into);
    }

    result<void> resolve()
    {
        if (all && !name.empty())
            return fail(errc::invalid, "-A is for all offers: leave it out, or NAME");
        if (timeout.count() > 0 && !watch)
            return fail(errc::invalid, "--timeout ends --watch: give that too");
        return common.resolve();
    }
};

/// What is shown at one time.
struct shown
{
    std::string text;
    /// Changes with all that is shown but the time.
    std::string version;
    bool ready = false;
};

class status_run
{
public:
    status_run(const roles::process& around, const console& terminal, status_options& config)
        : around_(around), terminal_(terminal), config_(config)
    {}

    asio::awaitable<result<int>> run()
    {
        auto server = co_await config_.common.connect_with_settings(around_, terminal_);
        if (!server)
            co_return server.error();
        server_ = std::move(*server);
        const auto begin = around_.timers.now();
        std::optional<std::string> version;
        for (;;)
        {
            auto now = co_await look();
            if (!now)
                co_return now.error();
            if (std::exchange(version, now->version) != now->version)
                show(*now);
            const bool late = config_.timeout.count() > 0 && around_.timers.now() - begin >= config_.timeout;
            if (!config_.watch || now->ready || late || around_.stop.requested())
                co_return now->ready ? 0 : 1;
            co_await around_.timers.sleep_for(pause);
        }
    }

private:
    // Who has conditions was looked at.
    std::string why_left_out(const kube::object& offer) const
    {
        return offer.status().empty() ? config_.common.settings.why_left_out(offer.raw) : std::string();
    }

    void show(const shown& now)
    {
        if (config_.watch && terminal_.out_is_terminal)
            terminal_.out << clear_screen;
        else if (std::exchange(again_, true) && !config_.common.is_data())
            terminal_.out << '\n';
        terminal_.out << now.text;
        terminal_.out.flush();
    }

    asio::awaitable<result<shown>> look()
    {
        if (config_.name.empty())
            co_return co_await look_at_all();
        auto found = co_await read_status(*server_, config_.common.key(config_.name));
        if (!found)
            co_return found.error();
        found->left_out = why_left_out(*found->offer);
        shown out;
        out.ready = ready_of(*found->offer).is_true();
        for (const kube::object_ptr& each : {found->offer, found->route, found->registration})
            out.version += (each ? each->meta.resource_version : "") + " ";
        std::ostringstream text;
        if (config_.common.is_data())
            print_data(
                config_.common,
                console{terminal_.in, text, terminal_.err},
                status_data(*found, config_.common.settings_source())
            );
        else
            print_status(
                text,
                {terminal_.colour, config_.common.is_wide(), config_.common.settings_source()},
                *found,
                config_.common.settings.plan(),
                around_.clock.now()
            );
        out.text = text.str();
        co_return out;
    }

    asio::awaitable<result<shown>> look_at_all()
    {
        const auto offers = co_await list_offers(*server_, config_.all ? "" : config_.common.ns, "");
        if (!offers)
            co_return offers.error();
        shown out;
        out.ready = std::all_of(offers->begin(), offers->end(), [](const kube::object_ptr& each) {
            return ready_of(*each).is_true();
        });
        for (const kube::object_ptr& each : *offers)
            out.version += each->meta.uid + each->meta.resource_version + " ";
        std::ostringstream text;
        if (config_.common.is_data())
        {
            const std::string& source = config_.common.settings_source();
            boost::json::array all;
            for (const kube::object_ptr& each : *offers)
            {
                status_view one{each, nullptr, nullptr};
                one.left_out = why_left_out(*each);
                all.push_back(status_data(one, source));
            }
            print_data(
                config_.common, console{terminal_.in, text, terminal_.err}, {{"offers", std::move(all)}}
            );
        }
        else if (offers->empty())
            text << no_offers(config_.all, config_.common.ns) << '\n';
        else
        {
            const bool wide = config_.common.is_wide();
            print_offers(text, terminal_.colour, *offers, around_.clock.now(), config_.all, wide);
            print_problems(text, terminal_.colour, *offers, config_.common.settings);
        }
        out.text = text.str();
        co_return out;
    }

    const roles::process& around_;
    const console& terminal_;
    status_options& config_;
    std::unique_ptr<kube::api> server_;
    bool again_ = false;
};

}  // namespace

std::unique_ptr<action> make_status()
{
    return std::make_unique<run_action<status_run, status_options>>();
}

}  // namespace portitor::cli::sell

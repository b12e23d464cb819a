#include "cli/sell/stop.hpp"

#include "cli/cluster/server_time.hpp"
#include "cli/output/complaint.hpp"
#include "cli/output/text.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/confirm.hpp"
#include "cli/sell/outcome.hpp"
#include "cli/sell/spec_edit.hpp"
#include "cli/sell/waiting.hpp"
#include "offer/drain.hpp"
#include "offer/status.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr const char* default_period = "1h";

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
    wait_options waits;
    common_options common;

    void declare(config::loader& into)
    {
        into.positional(offer_word(name));
        const config::headed how = into.under("How");
        how.add(text_option(
            "grace",
            "for how long it is still sold, such as 90m (default its own grace period, else 1h)",
            grace,
            "DURATION"
        ));
        config::option at_once = switch_option("now", "the same as --grace 0s", now);
        at_once.aliases = {"force"};
        how.add(std::move(at_once));
        how.add(yes_option(yes));
        waits.declare(how, "until it is taken down", "120m", false);
        common.declare(into, {"name"});
    }

    result<void> resolve()
    {
        if (now && !grace.empty())
            return fail(errc::invalid, "--now is --grace 0s: give one of them");
        if (!grace.empty())
        {
            const auto read = api::parse_grace_period(grace);
            if (!read)
                return fail(
                    errc::invalid, "--grace: \"{}\" must be {}", printable(grace, 100), read.error().message()
                );
        }
        return common.resolve();
    }

    /// The grace period: as it was given, else the offer's own. One of nothing is for whom says so only.
    std::string period_of(const kube::object& offer) const
    {
        if (now || !grace.empty())
            return now ? "0s" : grace;
        const std::string own = kube::string_at(offer.spec(), "drainGracePeriod");
        const auto read = api::parse_grace_period(own);
        return read && read->count() > 0 ? own : default_period;
    }
};

class stop_run
{
public:
    stop_run(const roles::process& around, const console& terminal, stop_options& config)
        : around_(around), terminal_(terminal), config_(config),
          say_(config.common.is_text() ? terminal.out : terminal.err)
    {}

    asio::awaitable<result<int>> run()
    {
        const auto consent = check_consent(terminal_, config_.yes);
        if (!consent)
            co_return refuse_usage(terminal_.err, consent.error());
        auto server = co_await config_.common.connect(around_, terminal_);
        if (!server)
            co_return server.error();
        server_ = std::move(*server);
        const kube::object_key key = config_.common.key(config_.name);
        const auto live = co_await read_offer(*server_, key);
        if (!live)
            co_return live.error();
        const std::string question = fmt::format(
            "Stop ServiceOffer {}? It stays paid for {} at most, and is then taken down.",
            key.to_string(),
            config_.period_of(**live)
        );
        if (!confirm(terminal_, question, config_.yes))
            co_return 1;
        co_await read_clock();
        auto stopped =
            co_await edit_spec(*server_, key, [this](const kube::object& offer, json::object& spec) {
                return set_end(offer, spec);
            });
        if (!stopped)
            co_return stopped.error();
        co_return co_await tell(*stopped);
    }

private:
    /// What begins now begins by the clock of the cluster: this machine's may be wrong.
    asio::awaitable<void> read_clock()
    {
        const auto there = co_await server_time(*server_);
        if (there)
            ahead_ = *there - around_.clock.now();
        else
            terminal_.err << "The API server does not say what time it is: it is taken from this machine\n";
    }

    clock::time_point now() const { return around_.clock.now() + ahead_; }

    /// To stop it once more must not sell it for longer, let alone again.
    result<void> set_end(const kube::object& offer, json::object& spec)
    {
        const std::string period = config_.period_of(offer);
        const clock::time_point begin = std::chrono::floor<std::chrono::seconds>(now());
        const auto before = end_of(offer, begin);
        const clock::time_point wanted = begin + api::parse_grace_period(period).value();
        ends_anyway_ = before && *before <= wanted;
        end_ = ends_anyway_ ? *before : wanted;
        if (ends_anyway_)
            return {};
        spec["drainAt"] = to_rfc3339(begin);
        spec["drainGracePeriod"] = period;
        return {};
    }

    std::string how_it_ends(const kube::object& offer) const
    {
        if (end_ > now())
            return fmt::format(
                "it stays paid until {}, never free, and is then taken down", to_rfc3339(end_)
            );
        return is_drained(offer) ? "it is taken down" : "it is being taken down";
    }

    asio::awaitable<result<int>> tell(kube::object_ptr offer)
    {
        say_ << fmt::format(
            "ServiceOffer {0} {1}: {2}\nTo sell it again: portitor sell resume {3} -n {4}\n",
            config_.common.key(config_.name).to_string(),
            ends_anyway_ ? "was stopped already" : "stopped",
            how_it_ends(*offer),
            config_.name,
            config_.common.ns
        );
        say_.flush();
        result<waited> ended = waited::done;
        if (config_.waits.wanted())
        {
            progress told(say_, terminal_.colour, around_.timers);
            ended = co_await follow(around_, *server_, offer, config_.waits.timeout, told, &is_drained);
            if (!ended)
                co_return ended.error();
            if (*ended == waited::done)
                say_ << "It is taken down\n";
        }
        const char* done = ends_anyway_ ? "unchanged" : "stopped";
        co_await show_outcome(config_.common, terminal_, around_, *server_, done, offer);
        if (*ended != waited::done)
            co_return unfinished(
                *ended, config_.waits.timeout, *offer, "is not taken down yet", api::condition_type::ready
            );
        co_return 0;
    }

    const roles::process& around_;
    const console& terminal_;
    stop_options& config_;
    std::ostream& say_;
    std::unique_ptr<kube::api> server_;
    clock::time_point::duration ahead_{};  ///< the API server's clock of this machine's
    bool ends_anyway_ = false;
    clock::time_point end_{};  ///< by set_end()
};

}  // namespace

std::unique_ptr<action> make_stop()
{
    return std::make_unique<run_action<stop_run, stop_options>>();
}

}  // namespace portitor::cli::sell

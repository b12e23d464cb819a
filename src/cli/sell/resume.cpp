#include "cli/sell/resume.hpp"

#include "cli/sell/common_options.hpp"
#include "cli/sell/outcome.hpp"
#include "cli/sell/predecessor.hpp"
#include "cli/sell/spec_edit.hpp"
#include "cli/sell/waiting.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

struct resume_options
{
    std::string name;
    wait_options waits;
    common_options common;

    void declare(config::loader& into)
    {
        into.positional(offer_word(name));
        waits.declare(into.under("How"), "until it is sold", "60s");
        declare_replaced(into, "resume");
        common.declare(into, {"name"});
    }

    result<void> resolve() { return common.resolve(); }
};

class resume_run
{
public:
    resume_run(const roles::process& around, const console& terminal, resume_options& config)
        : around_(around), terminal_(terminal), config_(config),
          say_(config.common.is_text() ? terminal.out : terminal.err)
    {}

    asio::awaitable<result<int>> run()
    {
        auto server = co_await config_.common.connect(around_, terminal_);
        if (!server)
            co_return server.error();
        bool was_stopped = false;
        // How long it is sold after a stop is a term of the offer, and stays.
        auto resumed = co_await edit_spec(
            **server,
            config_.common.key(config_.name),
            [&](const kube::object&, json::object& spec) {
                was_stopped = spec.erase("drainAt") > 0;
                return result<void>();
            }
        );
        if (!resumed)
            co_return resumed.error();
        co_return co_await tell(**server, *resumed, was_stopped);
    }

private:
    asio::awaitable<result<int>> tell(kube::api& server, kube::object_ptr offer, bool was_stopped)
    {
        const std::string key = config_.common.key(config_.name).to_string();
        if (!was_stopped)
            say_ << fmt::format("ServiceOffer {} was not stopped: nothing was changed\n", key);
        else
            say_ << fmt::format("ServiceOffer {} has no end any more\n", key);
        result<waited> ended = waited::done;
        if (was_stopped && config_.waits.wanted())
        {
            progress told(say_, terminal_.colour, around_.timers);
            ended = co_await follow(around_, server, offer, config_.waits.timeout, told, &is_ready);
            if (!ended)
                co_return ended.error();
            if (*ended == waited::done)
                say_ << fmt::format("ServiceOffer {} is sold again\n", key);
        }
        if (*ended == waited::done)
            say_ << fmt::format(
                "See how it stands: portitor sell status {} -n {}\n", config_.name, config_.common.ns
            );
        co_await show_outcome(
            config_.common, terminal_, around_, server, was_stopped ? "resumed" : "unchanged", offer
        );
        if (*ended != waited::done)
            co_return unfinished(
                *ended, config_.waits.timeout, *offer, "is not sold yet", api::condition_type::ready
            );
        co_return 0;
    }

    const roles::process& around_;
    const console& terminal_;
    resume_options& config_;
    std::ostream& say_;
};

}  // namespace

std::unique_ptr<action> make_resume()
{
    return std::make_unique<run_action<resume_run, resume_options>>();
}

}  // namespace portitor::cli::sell

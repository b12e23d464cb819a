#include "cli/sell/delete.hpp"

#include "cli/output/complaint.hpp"
#include "cli/output/text.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/confirm.hpp"
#include "cli/sell/waiting.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/registration_request.hpp>
#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

/// What is known to be on chain of an offer, in words; empty: nothing.
asio::awaitable<std::string> on_chain(kube::api& server, kube::object_ptr offer)
{
    const kube::object_key key{offer->meta.ns, api::registration_name(offer->meta.name)};
    const auto request = co_await server.get(api::registration_request_resource, key);
    if (!request || !api::is_made_for(**request, offer->meta))
    {
        const std::string agent = kube::string_at(offer->status(), "agentId");
        co_return agent.empty() ? std::string() : "agent " + printable(agent, 100);
    }
    const api::registration_state state = api::read_registration_state(**request);
    if (!state.touched_chain())
        co_return std::string();
    co_return fmt::format(
        "agent {} on {}",
        state.agent_id.empty() ? "of a transaction that is under way" : printable(state.agent_id, 100),
        printable(kube::string_at((*request)->spec(), "chain"), 100)
    );
}

/// Why the offer is still there.
std::string waiting_for(const kube::object& offer)
{
    const auto conditions = kube::parse_conditions(offer.status());
    const auto* ready = kube::find_condition(conditions, api::condition_type::ready);
    return ready && ready->reason == api::because::deleting.name ? printable(ready->message, 500)
                                                                 : "it is being taken down";
}

struct delete_options
{
    std::string name;
    bool yes = false;
    bool forced = false;
    wait_options waits;
    common_options common;

    void declare(config::loader& into)
    {
        into.positional(offer_word(name));
        const config::headed how = into.under("How");
        how.add(yes_option(yes));
        config::option force = switch_option("force", "the same as --yes", forced, 'f');
        force.is_typed_only = true;
        how.add(std::move(force));
        waits.declare(how, "until it is gone", "5m");
        common.declare(into, {"name"});
    }

    result<void> resolve()
    {
        yes = yes || forced;
        return common.resolve();
    }
};

class delete_run
{
public:
    delete_run(const roles::process& around, const console& terminal, delete_options& config)
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
        const auto live = co_await server_->get(api::service_offer_resource, key);
        if (!live)
            co_return in_words(live.error(), "get", api::service_offer_resource, key);
        on_chain_ = co_await on_chain(*server_, *live);
        const std::string question =
            fmt::format("Delete ServiceOffer {} and all that was made of it?", key.to_string());
        if (!confirm(terminal_, question, config_.yes))
            co_return 1;
        kube::delete_options which;
        which.uid = (*live)->meta.uid;
        const auto removed = co_await server_->remove(api::service_offer_resource, key, which);
        if (!removed)
            co_return in_words(removed.error(), "delete", api::service_offer_resource, key);
        co_return co_await tell(*live);
    }

private:
    asio::awaitable<result<int>> tell(kube::object_ptr offer)
    {
        if (!on_chain_.empty())
            say_ << fmt::format(
                "On chain: {} is marked as retired; the entry itself stays there, as nothing on a "
                "chain is deleted\n",
                on_chain_
            );
        result<waited> ended = waited::done;
        if (config_.waits.wanted())
            ended = co_await wait_until_gone(&offer);
        if (!ended)
            co_return ended.error();
        const bool is_gone = config_.waits.wanted() && *ended == waited::done;
        if (config_.common.is_data())
        {
            json::object out{
                {"result", is_gone ? "deleted" : "deleting"}, {"offer", offer->raw}, {"onChain", on_chain_}};
            print_data(config_.common, terminal_, out);
        }
        else if (config_.common.output == "name")
            terminal_.out << resource_name(*offer) << '\n';
        if (*ended != waited::done)
            co_return unfinished(
                *ended, config_.waits.timeout, *offer, "is still there", api::condition_type::ready
            );
        say_ << fmt::format(
            "ServiceOffer {} {}\n",
            config_.common.key(config_.name).to_string(),
            is_gone ? "deleted" : "is being deleted"
        );
        co_return 0;
    }

    /// Leaves in `offer` what it was the last time. @pre it outlives the call
    asio::awaitable<result<waited>> wait_until_gone(kube::object_ptr* offer)
    {
        progress told(say_, terminal_.colour, around_.timers);
        std::string last;
        const look is_gone = [&](const kube::object_ptr& now) {
            if (!now || now->meta.uid != (*offer)->meta.uid)
                return true;
            *offer = now;
            const std::string why = waiting_for(*now);
            if (std::exchange(last, why) != why)
                told.say(why);
            return false;
        };
        auto ended =
            co_await wait_until(around_, *server_, (*offer)->meta.key(), config_.waits.timeout, is_gone);
        co_return ended;
    }

    const roles::process& around_;
    const console& terminal_;
    delete_options& config_;
    std::ostream& say_;
    std::unique_ptr<kube::api> server_;
    std::string on_chain_;  ///< what of it is, in words
};

}  // namespace

std::unique_ptr<action> make_delete()
{
    return std::make_unique<run_action<delete_run, delete_options>>();
}

}  // namespace portitor::cli::sell

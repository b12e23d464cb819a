#include "cli/sell/delete.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/confirm.hpp"
#include "cli/sell/waiting.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/names.hpp>
#include <portitor/api/registration_request.hpp>
#include <portitor/config/setters.hpp>

#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;

namespace {

/// What is known to be on chain of an offer, in words; empty: nothing.
asio::awaitable<std::string> on_chain(kube::api& server, kube::object_ptr offer)
{
    const kube::object_key key{offer->meta.ns, api::registration_name(offer->meta.name)};
    const auto request = co_await server.get(api::registration_request_resource, key);
    if (!request)
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

class delete_action final : public action
{
public:
    void declare(config::loader& into) override
    {
        into.positional(offer_word(name_));
        const config::headed how = into.under("How");
        config::option sure = switch_option("yes", "asks nothing", yes_);
        sure.letter = 'f';
        sure.aliases = {"force"};
        sure.is_typed_only = true;
        how.add(std::move(sure));
        config::option waits{
            "wait", "waits until it is gone; --no-wait does not", "true", config::set_bool(wait_), true};
        how.add(std::move(waits));
        how.add(switch_option("no-wait", "ends when it is on its way", no_wait_));
        how.add(timeout_option(timeout_, "5m"));
        common_.declare(into, {"text", "name"});
    }

    result<void> resolve() override { return common_.resolve(); }

    asio::awaitable<result<int>> run(const roles::process& around, const console& terminal) override
    {
        auto server = co_await common_.connect(around, terminal);
        if (!server)
            co_return server.error();
        const kube::object_key key = common_.key(name_);
        const auto live = co_await (*server)->get(api::service_offer_resource, key);
        if (!live)
            co_return in_words(live.error(), "get", api::service_offer_resource, key);
        const std::string registered = co_await on_chain(**server, *live);
        const auto sure = confirm(
            terminal,
            fmt::format("Delete ServiceOffer {} and all that was made of it?", key.to_string()),
            yes_
        );
        if (!sure)
            co_return sure.error();
        if (!*sure)
        {
            terminal.err << "Nothing was changed\n";
            co_return 1;
        }
        kube::delete_options which;
        which.uid = (*live)->meta.uid;
        const auto removed = co_await (*server)->remove(api::service_offer_resource, key, which);
        if (!removed)
            co_return in_words(removed.error(), "delete", api::service_offer_resource, key);
        co_return co_await tell(around, terminal, **server, *live, registered);
    }

private:
    asio::awaitable<result<int>> tell(
        const roles::process& around,
        const console& terminal,
        kube::api& server,
        kube::object_ptr offer,
        std::string registered
    )
    {
        const std::string key = offer->meta.key().to_string();
        std::ostream& say = common_.output == "name" ? terminal.err : terminal.out;
        if (!registered.empty())
            say << fmt::format(
                "On chain: {} is marked as retired; the entry itself stays there, as nothing on a "
                "chain is deleted\n",
                registered
            );
        const bool waits = wait_ && !no_wait_;
        if (waits)
        {
            progress told(say, terminal.colour, around.timers);
            std::string last;
            const auto ended = co_await wait_until(
                around,
                server,
                offer->meta.key(),
                timeout_,
                [&](const kube::object_ptr& now) {
                    if (!now || now->meta.uid != offer->meta.uid)
                        return true;
                    const std::string why = waiting_for(*now);
                    if (std::exchange(last, why) != why)
                        told.say(why);
                    return false;
                }
            );
            if (!ended)
                co_return ended.error();
            if (*ended != waited::done)
                co_return fail(
                    errc::timed_out,
                    "ServiceOffer {} is being deleted, and still there: {}. See that the controller runs",
                    key,
                    last
                );
        }
        if (common_.output == "name")
            terminal.out << "serviceoffer.obol.org/" << offer->meta.name << '\n';
        else
            terminal.out << fmt::format("ServiceOffer {} {}\n", key, waits ? "deleted" : "is being deleted");
        co_return 0;
    }

    std::string name_;
    bool yes_ = false;
    bool wait_ = true;
    bool no_wait_ = false;
    std::chrono::seconds timeout_{300};
    common_options common_;
};

}  // namespace

std::unique_ptr<action> make_delete()
{
    return std::make_unique<delete_action>();
}

}  // namespace portitor::cli::sell

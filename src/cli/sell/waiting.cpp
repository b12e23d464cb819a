#include "cli/sell/waiting.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/api_words.hpp"
#include "cli/sell/hints.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/api/resources.hpp>

#include <algorithm>
#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds pause(500);

bool may_pass(const kube::api_error& why)
{
    return why.http_status() == 0 || why.http_status() >= 500 || why.http_status() == 429;
}

tone tone_of(const std::string& status)
{
    return status == "True" ? tone::good : status == "False" ? tone::bad : tone::warning;
}

/// How far an offer is, by one of its conditions.
std::string known_by(const kube::object& offer, std::string_view condition)
{
    const auto all = kube::parse_conditions(offer.status());
    const kube::condition* found = kube::find_condition(all, condition);
    if (!found || (found->observed_generation != offer.meta.generation && !offer.meta.deleted))
        return why_not_judged(offer);
    return fmt::format(
        "{} is {} ({}): {}",
        found->type,
        printable(found->status, 20),
        printable(found->reason, 100),
        printable(found->message, 500)
    );
}

}  // namespace

asio::awaitable<result<waited>> wait_until(
    roles::process around, kube::api& server, kube::object_key of, std::chrono::seconds timeout, look done
)
{
    const auto end = around.timers.now() + timeout;
    for (;;)
    {
        const auto live = co_await server.get(api::service_offer_resource, of);
        if (!live && !live.error().is_not_found() && !may_pass(live.error()))
            co_return in_words(live.error(), "get", api::service_offer_resource, of);
        if ((live || live.error().is_not_found()) && done(live ? *live : nullptr))
            co_return waited::done;
        if (around.stop.requested())
            co_return waited::interrupted;
        const auto now = around.timers.now();
        if (now >= end && !live && !live.error().is_not_found())
            co_return in_words(live.error(), "get", api::service_offer_resource, of)
                .within("the API server could not be asked how it stands");
        if (now >= end)
            co_return waited::timed_out;
        co_await around.timers.sleep_for(
            std::min(pause, std::chrono::ceil<std::chrono::milliseconds>(end - now))
        );
    }
}

void progress::show(const kube::object& offer)
{
    const auto conditions = kube::parse_conditions(offer.status());
    for (const std::string_view type : api::condition_type::all)
    {
        const kube::condition* each = kube::find_condition(conditions, type);
        if (!each || each->observed_generation != offer.meta.generation)
            continue;
        const std::string state = each->status + " " + each->reason;
        if (std::exchange(told_[each->type], state) == state)
            continue;
        const palette colours(colour_);
        std::string line = fmt::format("{:17} ", each->type);
        line += colours.paint(tone_of(each->status), fmt::format("{:8}", printable(each->status, 20)));
        line += printable(each->reason, 100);
        if (is_worth_a_hint(*each) && each->type != api::condition_type::ready)
            line += ": " + printable(each->message, 300);
        say(line);
    }
}

void progress::say(const std::string& line)
{
    const auto elapsed = std::chrono::duration<double>(timers_.now() - begin_).count();
    out_ << fmt::format("  {:5.1f}s  {}", elapsed, line) << std::endl;
}

asio::awaitable<result<waited>> follow(
    roles::process around,
    kube::api& server,
    kube::object_ptr& offer,
    std::chrono::seconds timeout,
    progress& told,
    std::function<bool(const kube::object&)> done
)
{
    bool is_gone = false;
    const auto see = [&](const kube::object_ptr& now) {
        is_gone = !now || now->meta.uid != offer->meta.uid;
        if (is_gone)
            return true;
        offer = now;
        told.show(*now);
        return done(*now);
    };
    auto ended = co_await wait_until(around, server, offer->meta.key(), timeout, see);
    if (ended && is_gone)
        co_return waited::gone;
    co_return ended;
}

error unfinished(
    waited how,
    std::chrono::seconds limit,
    const kube::object& offer,
    std::string_view not_yet,
    std::string_view condition
)
{
    const std::string key = printable(offer.meta.key().to_string(), 320);
    if (how == waited::gone)
        return fail(errc::not_found, "ServiceOffer {} was deleted meanwhile", key);
    const bool late = how == waited::timed_out;
    return fail(
        late ? errc::timed_out : errc::canceled,
        "ServiceOffer {} {}, and is no longer waited for{}\n"
        "What is known: {}\n"
        "Nothing is taken back, and the controller goes on with it. To look again:\n"
        "  portitor sell status {} -n {}",
        key,
        not_yet,
        late ? fmt::format(" after {}", age_in_words(limit)) : std::string(": interrupted"),
        known_by(offer, condition),
        printable(offer.meta.name, 253),
        printable(offer.meta.ns, 63)
    );
}

bool is_ready(const kube::object& offer)
{
    const auto conditions = kube::parse_conditions(offer.status());
    const kube::condition* ready = kube::find_condition(conditions, api::condition_type::ready);
    return ready && ready->is_true() && ready->observed_generation == offer.meta.generation;
}

}  // namespace portitor::cli::sell

#include "roles/controller/gate_probe.hpp"

#include "offer/gate_trial.hpp"

#include <algorithm>

namespace portitor::controller {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds deadline(5000);
constexpr std::chrono::milliseconds period(5 * 60 * 1000);
constexpr std::chrono::milliseconds retry_period(5000);
constexpr std::chrono::milliseconds longest_retry_period(30'000);
// The gateway takes up a change within its throttle, by default two seconds.
constexpr std::chrono::milliseconds settling_period(500);
constexpr unsigned settling_attempts = 12;
constexpr unsigned failures_that_count = 2;

struct finding_of_gateway
{
    bool refused_by_gate = false;
    bool let_through = false;
    std::string what;
    std::string host;  ///< that was asked, without its port
    std::string path;
};

asio::awaitable<finding_of_gateway> look(http::client& client, offer::proof_target about)
{
    finding_of_gateway out;
    auto where = http::parse_url(offer::filled_path(about.url, offer::unguessable_word()));
    if (!where)
    {
        out.what = where.error().message();
        co_return out;
    }
    http::request message(http::verb::get, where->target, 11);
    if (!about.host.empty())
        message.set(http::field::host, about.host);
    out.path = where->target.substr(0, where->target.find('?'));
    out.host = about.host.empty() ? where->origin.host : about.host;
    if (const auto colon = out.host.rfind(':'); colon != out.host.npos && !out.host.ends_with(']'))
        out.host.erase(colon);
    message.set(http::field::accept, "application/json");
    http::client_options options;
    options.timeout = deadline;
    auto answer = co_await client.open(where->origin, std::move(message), options);
    if (!answer)
    {
        out.what = answer.error().message();
        co_return out;
    }
    const unsigned code = (*answer)->status_code();
    const auto named = (*answer)->headers()["X-Portitor-Route"];
    out.refused_by_gate = code >= 400 && std::string_view(named.data(), named.size()) == about.route;
    out.let_through = code >= 200 && code <= 299;
    out.what = fmt::format("HTTP {}, which the gate did not say", code);
    co_return out;
}

asio::awaitable<gate_poller::finding>
ask(http::client& client, preference find_other, offer::proof_target about, offer::gate_proof before)
{
    const finding_of_gateway found = co_await look(client, about);
    offer::gate_proof now;
    if (found.refused_by_gate)
    {
        now.said = offer::gate_proof::verdict::proved;
        co_return gate_poller::finding(std::move(now), period);
    }
    now = before;
    if (before.said == offer::gate_proof::verdict::unknown && ++now.attempts < settling_attempts)
        co_return gate_poller::finding(std::move(now), settling_period);
    now.failure = found.what;
    // What there is now, and not when somebody looks at the answer: a route may come and go.
    now.other = find_other && !found.path.empty() ? find_other(about, found.host, found.path) : "";
    ++now.failures;
    if (found.let_through && now.other.empty())
    {
        now.said = offer::gate_proof::verdict::open;
        co_return gate_poller::finding(std::move(now), period);
    }
    if (found.let_through)
        now.said = offer::gate_proof::verdict::elsewhere;
    else if (now.failures >= failures_that_count)
        now.said = offer::gate_proof::verdict::not_proved;
    // A gateway that is only slow is to be found right soon after.
    const auto wait = std::min(longest_retry_period, retry_period * std::max(1u, now.failures / 2));
    co_return gate_poller::finding(std::move(now), wait);
}

}  // namespace

gate_poller::question ask_gateway(http::client& client, preference find_other)
{
    return [&client,
            find_other = std::move(find_other)](const offer::proof_target& about, offer::gate_proof before) {
        return ask(client, find_other, about, std::move(before));
    };
}

}  // namespace portitor::controller

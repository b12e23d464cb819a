#include "roles/controller/facilitator_probe.hpp"

#include <portitor/x402/supported.hpp>

#include <algorithm>

namespace portitor::controller {

namespace asio = boost::asio;

namespace {

using offer::facilitator_word;
using finding = facilitator_poller::finding;

constexpr std::chrono::milliseconds deadline(10'000);
constexpr std::chrono::milliseconds period(30'000);
constexpr std::chrono::milliseconds retry_period(15'000);
constexpr std::chrono::milliseconds confirm_period(1000);
constexpr unsigned failures_that_count = 3;

bool is_less(const x402::served_networks& now, const facilitator_word& before)
{
    if (before.said != facilitator_word::verdict::listed)
        return true;
    const auto& had = before.served->names();
    return !std::includes(now.names().begin(), now.names().end(), had.begin(), had.end());
}

finding take_failure(const error& why, facilitator_word now)
{
    now.claimed.reset();
    now.failures = std::min(now.failures + 1, failures_that_count);
    if (now.failures == failures_that_count)
    {
        now.said = facilitator_word::verdict::unknown;
        now.served.reset();
        now.failure = why.message();
    }
    const auto again = now.failures == failures_that_count ? period : retry_period;
    return {std::move(now), again};
}

finding take_answer(x402::served_networks listed, facilitator_word now)
{
    now.failures = 0;
    const auto told = std::make_shared<const x402::served_networks>(std::move(listed));
    const bool is_confirmed = now.claimed && *now.claimed == *told;
    if (is_less(*told, now) && !is_confirmed)
    {
        now.claimed = told;
        return {std::move(now), confirm_period};
    }
    facilitator_word next;
    next.said = facilitator_word::verdict::listed;
    next.served = told;
    return {std::move(next), period};
}

asio::awaitable<finding>
ask(http::client& client, const x402::network_table& known, std::string url, facilitator_word before)
{
    auto listed = co_await x402::ask_supported(client, std::move(url), known, deadline);
    if (!listed)
        co_return take_failure(listed.error(), std::move(before));
    co_return take_answer(std::move(*listed), std::move(before));
}

}  // namespace

facilitator_poller::question ask_facilitator(http::client& client, const x402::network_table& known)
{
    return [&client, &known](const std::string& url, facilitator_word before) {
        return ask(client, known, url, std::move(before));
    };
}

}  // namespace portitor::controller

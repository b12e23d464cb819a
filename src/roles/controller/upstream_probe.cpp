#include "roles/controller/upstream_probe.hpp"

#include <algorithm>

namespace portitor::controller {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds deadline(5000);
// An upstream that has just failed is asked again sooner, so that three failures do not take three periods.
constexpr std::chrono::milliseconds retry_period(2000);
// What a health path has to say at most for its connection to be kept for the next probe.
constexpr std::size_t longest_body = 64 * 1024;
constexpr std::chrono::milliseconds body_deadline(1000);
// More failures than this say nothing new.
constexpr unsigned most_failures = 100;

// Reads the body to its end and forgets it: only then is the connection free for the next probe.
asio::awaitable<void> discard(http::body_stream& body)
{
    const auto until = std::chrono::steady_clock::now() + body_deadline;
    std::size_t size = 0;
    while (size <= longest_body && std::chrono::steady_clock::now() < until)
    {
        const auto piece = co_await body.read_some(body_deadline);
        if (!piece || piece->empty())
            co_return;
        size += piece->size();
    }
}

// Empty when healthy, else the class of the failure.
asio::awaitable<std::string> probe(http::client& client, std::string url)
{
    auto where = http::parse_url(url);
    if (!where)
        co_return where.error().message();
    http::request message(http::verb::get, where->target, 11);
    message.set(http::field::accept, "*/*");
    http::client_options options;
    options.timeout = deadline;
    auto answer = co_await client.open(where->origin, std::move(message), options);
    if (!answer)
        co_return answer.error().message();
    const unsigned code = (*answer)->status_code();
    co_await discard(**answer);
    if (code >= 200 && code <= 299)
        co_return std::string();
    co_return fmt::format("HTTP {}", code);
}

asio::awaitable<upstream_poller::finding>
ask(http::client& client, std::chrono::milliseconds period, std::string url, offer::probe_result before)
{
    offer::probe_result now;
    now.failure = co_await probe(client, std::move(url));
    if (now.failure.empty())
    {
        now.health = offer::probe_result::verdict::healthy;
        co_return upstream_poller::finding(std::move(now), period);
    }
    now.health = offer::probe_result::verdict::unhealthy;
    now.consecutive_failures = std::min(before.consecutive_failures + 1, most_failures);
    co_return upstream_poller::finding(std::move(now), std::min(period, retry_period));
}

}  // namespace

upstream_poller::question ask_upstream(http::client& client, std::chrono::milliseconds period)
{
    return [&client, period](const std::string& url, offer::probe_result before) {
        return ask(client, period, url, std::move(before));
    };
}

}  // namespace portitor::controller

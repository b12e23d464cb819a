#include "roles/controller/prober.hpp"

namespace portitor::controller {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds probe_deadline(5000);
// An upstream that has just failed is asked again sooner, so that three failures do not take three periods.
constexpr std::chrono::milliseconds retry_period(2000);
// More failures than this say nothing new.
constexpr unsigned most_failures = 100;

}  // namespace

prober::prober(http::client& client, task_group& tasks, std::chrono::milliseconds period, changed on_change)
    : client_(client), tasks_(tasks), period_(period), on_change_(std::move(on_change)),
      random_(std::random_device{}())
{}

void prober::watch(const kube::object_key& offer, const std::string& url)
{
    target& held = targets_[offer];
    if (held.url == url)
        return;
    held = {url, ++serial_, {}};
    auto where = http::parse_url(url);
    if (!where)
    {
        held.latest = {probe_result::verdict::unhealthy, where.error().message(), 1};
        return;
    }
    tasks_.spawn("probe " + offer.to_string(), probe_loop(offer, std::move(*where), held.serial));
}

probe_result prober::latest(const kube::object_key& offer) const
{
    const auto at = targets_.find(offer);
    return at == targets_.end() ? probe_result{} : at->second.latest;
}

prober::target* prober::find(const kube::object_key& offer, std::uint64_t serial)
{
    const auto at = targets_.find(offer);
    return at == targets_.end() || at->second.serial != serial ? nullptr : &at->second;
}

std::chrono::milliseconds prober::jittered(std::chrono::milliseconds period)
{
    std::uniform_int_distribution<std::int64_t> draw(period.count() * 9 / 10, period.count() * 11 / 10);
    return std::chrono::milliseconds(draw(random_));
}

asio::awaitable<void> prober::probe_loop(kube::object_key offer, http::url where, std::uint64_t serial)
{
    for (;;)
    {
        const std::string failure = co_await probe(where);
        target* held = find(offer, serial);
        if (!held)
            co_return;
        probe_result now;
        now.health = failure.empty() ? probe_result::verdict::healthy : probe_result::verdict::unhealthy;
        now.failure = failure;
        if (!failure.empty())
            now.consecutive_failures = std::min(held->latest.consecutive_failures + 1, most_failures);
        const bool news = now.health != held->latest.health || now.failure != held->latest.failure ||
                          now.consecutive_failures != held->latest.consecutive_failures;
        held->latest = now;
        if (news)
            on_change_(offer);
        co_await sleep_for(jittered(failure.empty() ? period_ : std::min(period_, retry_period)));
        if (!find(offer, serial))
            co_return;
    }
}

// Empty when healthy, else the class of the failure.
asio::awaitable<std::string> prober::probe(http::url where)
{
    http::request message(http::verb::get, where.target, 11);
    message.set(http::field::accept, "*/*");
    http::client_options options;
    options.timeout = probe_deadline;
    auto answer = co_await client_.open(where.origin, std::move(message), options);
    if (!answer)
        co_return answer.error().message();
    const unsigned code = (*answer)->status_code();
    if (code >= 200 && code <= 299)
        co_return std::string();
    co_return fmt::format("HTTP {}", code);
}

}  // namespace portitor::controller

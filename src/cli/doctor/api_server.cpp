#include "cli/doctor/looking.hpp"

#include <portitor/http/date.hpp>

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

// What the chart demands: ValidatingAdmissionPolicy is v1 from there on.
constexpr version_number oldest{1, 30};
constexpr long long slow = 1'000;  // ms
constexpr std::int64_t skew_that_warns = 5;
constexpr std::int64_t skew_that_fails = 60;

void judge_version(const std::string& version, long long milliseconds, notebook& into)
{
    const auto number = read_version(version);
    if (!number)
        return into.warn("version", fmt::format("\"{}\" is not a version", version), "is it an API server?");
    if (*number < oldest)
        return into.failure(
            "version",
            fmt::format("{} is older than {}.{}", version, oldest.major, oldest.minor),
            "upgrade Kubernetes"
        );
    into.ok("version", fmt::format("{}, {}", version, took(milliseconds)));
    if (milliseconds > slow)
        into.warn(
            "latency",
            fmt::format("GET /version {}", took(milliseconds)),
            "the roles wait as long for every change of an offer, unless they are nearer to the API server"
        );
}

void judge_clock(const http::response& said, std::int64_t now, notebook& into)
{
    const auto header = said[http::field::date];
    const auto there = http::parse_date(std::string(header.data(), header.size()));
    if (!there)
        return into.not_checked("clock", "the answer has no Date that can be read");
    const std::int64_t skew = now - *there;
    const std::int64_t size = skew < 0 ? -skew : skew;
    const std::string words =
        fmt::format("this machine's clock is {} s {} the API server's", size, skew < 0 ? "behind" : "before");
    if (size <= skew_that_warns)
        return into.ok("clock", fmt::format("within {} s of the API server's", size + 1));
    if (size <= skew_that_fails)
        return into.warn("clock", words, "see to NTP on both; payments are valid for minutes");
    into.failure(
        "clock",
        words,
        "see to NTP on both: payments, tokens and certificates of the one are not valid for the other"
    );
}

}  // namespace

asio::awaitable<void> examine_api_server(const patient& of, notebook& into)
{
    const auto asked = of.around.timers.now();
    const auto said = co_await of.server.ask(http::verb::get, "/version");
    const long long milliseconds = since(of.around.timers, asked);
    if (!said)
    {
        into.failure("reached", said.error().message(), "see --kubeconfig and --context");
        co_return;
    }
    const auto now = std::chrono::system_clock::to_time_t(of.around.clock.now());
    if (said->result_int() == 401)
    {
        into.failure("reached", "it does not take these credentials (HTTP 401)", "log in again");
        co_return;
    }
    judge_clock(*said, now, into);
    const auto body = said->result_int() == 200 ? read_object(said->body()) : std::nullopt;
    if (!body)
    {
        into.not_checked("version", fmt::format("GET /version: HTTP {}, and no version", said->result_int()));
        co_return;
    }
    judge_version(kube::string_at(*body, "gitVersion"), milliseconds, into);
}

}  // namespace portitor::cli::doctor

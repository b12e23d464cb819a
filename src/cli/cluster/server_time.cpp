#include "cli/cluster/server_time.hpp"

#include <portitor/http/date.hpp>

namespace portitor::cli {

namespace {

constexpr auto latest =
    std::chrono::sys_seconds(std::chrono::sys_days(std::chrono::year(2200) / 1 / 1)).time_since_epoch();

}  // namespace

boost::asio::awaitable<std::optional<clock::time_point>> server_time(kube::api& server)
{
    const auto said = co_await server.ask(http::verb::get, "/version");
    if (!said)
        co_return std::nullopt;
    const auto header = (*said)[http::field::date];
    const auto seconds = http::parse_date(std::string(header.data(), header.size()));
    // Beyond lies what this clock cannot count to.
    if (!seconds || *seconds < 0 || std::chrono::seconds(*seconds) >= latest)
        co_return std::nullopt;
    co_return clock::time_point(std::chrono::seconds(*seconds));
}

}  // namespace portitor::cli

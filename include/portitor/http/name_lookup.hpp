#pragma once

#include <portitor/core/log.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/http/message.hpp>
#include <portitor/http/name_service.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <chrono>
#include <memory>
#include <string_view>
#include <vector>

namespace portitor::http {

/// Where a server can be connected to, in the order to try.
using addresses = std::vector<boost::asio::ip::tcp::endpoint>;

struct name_limits
{
    std::size_t max_names = 1024;    ///< that are remembered
    std::size_t max_questions = 64;  ///< under way at a time
    // What a name service says of the time to rely on it is taken within these.
    std::chrono::milliseconds least_ttl{1'000};
    std::chrono::milliseconds most_ttl{60'000};
    std::chrono::milliseconds keep{
        3'600'000};  ///< for which last addresses serve where there are no new ones
    /// After which last addresses serve, while the question goes on.
    std::chrono::milliseconds patience{500};
    std::chrono::milliseconds pause{2'000};     ///< from a question that failed to the next one
    std::chrono::milliseconds longest{30'000};  ///< of a question, which may outlast those who asked
};

/// Looks names up, and remembers. Who asks for the same name waits for the same question; nobody waits for
/// the question of another name. Where a name service hangs or fails, the last good addresses serve, told
/// once in the log; that a name does not exist is believed. One strand.
///
/// Where the table or the questions are at their limit, whoever has most of them gives one up: a name that
/// nobody waits for and that was wanted longest ago, else the oldest question. Names belong together by their
/// last two labels, or by the namespace of a Service.
class name_lookup
{
public:
    /// `time` must outlive this.
    name_lookup(
        boost::asio::any_io_executor executor,
        name_service ask,
        timekeeper& time,
        logger log = {},
        name_limits limits = {}
    );
    ~name_lookup();
    name_lookup(const name_lookup&) = delete;
    name_lookup& operator=(const name_lookup&) = delete;

    /// An address is one already. errc::unavailable where the name is not known, or not by then. Canceled at
    /// once.
    boost::asio::awaitable<result<addresses>> look_up(origin server, timekeeper::time_point until);

    std::size_t questions() const noexcept;
    std::size_t names() const noexcept;

private:
    class table;
    std::shared_ptr<table> table_;  // also of whoever waits
};

/// Who a name belongs to, as name_lookup tells them apart: "example.com" of "a.b.example.com", "shop.svc" of
/// "api.shop.svc.cluster.local".
std::string_view owner_of_name(std::string_view host);

/// One look-up on the machine's clock that remembers nothing, for as long as nobody cancels it.
boost::asio::awaitable<result<addresses>> look_up(origin server);

}  // namespace portitor::http

#include "roles/verifier/worker.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace portitor::verifier {

namespace asio = boost::asio;

worker::worker(logger log, std::function<void(std::string)> failed)
    : log_(std::move(log)), failed_(std::move(failed))
{}

worker::~worker()
{
    // Normally it has ended by itself, after drain().
    stop();
}

result<void> worker::listen(
    const std::string& endpoint,
    bool share_port,
    const std::optional<http::server_tls>& tls,
    const published<route::route_table>& routes,
    const till& counter,
    const cors_policy& cors,
    metrics& numbers
)
{
    front_.emplace(routes, counter, cors, log_, numbers);
    server_.emplace(context_, log_, [this](const http::server_request& message, http::response_writer& out) {
        return front_->answer_to(message, out);
    });
    server_->count_in(numbers);
    if (tls)
    {
        auto used = server_->use_tls(*tls);
        if (!used)
            return used;
    }
    return server_->listen(endpoint, share_port);
}

void worker::start()
{
    tasks_.spawn("listener", server_->run());
    thread_ = std::thread([this] { run(); });
}

void worker::run()
{
    try
    {
        context_.run();
    }
    catch (const std::exception& thrown)
    {
        failed_(thrown.what());
    }
}

void worker::use_tls(http::server_tls identity)
{
    asio::post(context_, [this, identity = std::move(identity)] {
        auto used = server_->use_tls(identity);
        if (!used)
            log_.error("keeping the old certificate", {{"err", used.error().message()}});
    });
}

asio::awaitable<void> worker::drain(std::chrono::milliseconds limit)
{
    auto apart = asio::bind_cancellation_slot(asio::cancellation_slot(), asio::use_awaitable);
    asio::awaitable<void> draining = server_->drain(limit);
    co_await asio::co_spawn(context_.get_executor(), std::move(draining), apart);
}

void worker::stop()
{
    context_.stop();
    join();
}

void worker::join()
{
    busy_.reset();
    if (thread_.joinable())
        thread_.join();
}

}  // namespace portitor::verifier

#include "x402/facilitator_messages.hpp"

#include <portitor/x402/facilitator.hpp>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

// There are a few; what comes and goes must not fill the memory.
constexpr std::size_t most_parsed = 64;

http::client_options options_for(std::chrono::milliseconds timeout)
{
    http::client_options options;
    options.timeout = timeout;
    options.max_body = max_facilitator_answer;
    return options;
}

}  // namespace

result<const http::url*> http_facilitator::parsed(const std::string& url)
{
    const auto known = parsed_.find(url);
    if (known != parsed_.end())
        return &known->second;
    auto made = parse_facilitator_url(url);
    if (!made)
        return made.error();
    if (parsed_.size() >= most_parsed)
        parsed_.clear();
    return &parsed_.emplace(url, std::move(*made)).first->second;
}

asio::awaitable<verify_outcome> http_facilitator::verify(
    std::string url,
    const payment& offered,
    const payment_requirement& wanted,
    facilitator_caller,
    std::chrono::milliseconds timeout
)
{
    const auto to = parsed(url);
    if (!to)
        co_return verify_unavailable(to.error());
    http::client_options options = options_for(timeout);
    http::request message = make_facilitator_request((*to)->target, "verify", offered, wanted);
    auto answer = co_await client_.send((*to)->origin, std::move(message), options);
    if (!answer)
        co_return verify_unavailable(answer.error().within("facilitator verify"));
    co_return read_verify_answer(*answer, offered);
}

asio::awaitable<settle_outcome> http_facilitator::settle(
    std::string url,
    const payment& offered,
    const payment_requirement& wanted,
    facilitator_caller,
    std::chrono::milliseconds timeout
)
{
    const auto to = parsed(url);
    if (!to)
        co_return settle_not_sent(to.error());
    http::client_options options = options_for(timeout);
    http::request message = make_facilitator_request((*to)->target, "settle", offered, wanted);
    auto answer = co_await client_.send((*to)->origin, std::move(message), options);
    if (answer)
        co_return read_settle_answer(*answer, offered, wanted);
    if (answer.error().code() == errc::unavailable)
        co_return settle_not_sent(answer.error().within("facilitator settle"));
    co_return settle_unknown(answer.error().within("facilitator settle"));
}

}  // namespace portitor::x402

#include "x402/facilitator_messages.hpp"

#include <portitor/x402/facilitator.hpp>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

http::client_options options_for(std::chrono::milliseconds timeout)
{
    http::client_options options;
    options.timeout = timeout;
    options.max_body = max_facilitator_answer;
    return options;
}

}  // namespace

asio::awaitable<verify_outcome> http_facilitator::verify(
    std::string url,
    const payment& offered,
    const payment_requirement& wanted,
    std::chrono::milliseconds timeout
)
{
    auto call = make_facilitator_call(url, "verify", offered, wanted);
    if (!call)
        co_return verify_unavailable(call.error());
    http::client_options options = options_for(timeout);
    auto answer = co_await client_.send(std::move(call->server), std::move(call->message), options);
    if (!answer)
        co_return verify_unavailable(answer.error().within("facilitator verify"));
    co_return read_verify_answer(*answer, offered);
}

asio::awaitable<settle_outcome> http_facilitator::settle(
    std::string url,
    const payment& offered,
    const payment_requirement& wanted,
    std::chrono::milliseconds timeout
)
{
    auto call = make_facilitator_call(url, "settle", offered, wanted);
    if (!call)
        co_return settle_not_sent(call.error());
    http::client_options options = options_for(timeout);
    auto answer = co_await client_.send(std::move(call->server), std::move(call->message), options);
    if (answer)
        co_return read_settle_answer(*answer, offered, wanted);
    if (answer.error().code() == errc::unavailable)
        co_return settle_not_sent(answer.error().within("facilitator settle"));
    co_return settle_unknown(answer.error().within("facilitator settle"));
}

}  // namespace portitor::x402

#include "x402/facilitator_messages.hpp"

#include <portitor/x402/facilitator.hpp>

namespace portitor::x402 {

namespace asio = boost::asio;

namespace {

// There are a few; what comes and goes must not fill the memory.
constexpr std::size_t most_parsed = 64;

// That nothing was sent is what the client promises with errc::unavailable.
template <typename Outcome>
Outcome unanswered(const error& failure, std::string_view operation)
{
    Outcome out(failure.within(operation));
    if (failure.code() == errc::unavailable)
        out.trouble = facilitator_trouble::unreached;
    else if (failure.code() == errc::timed_out)
        out.trouble = facilitator_trouble::slow;
    else if (failure.code() == errc::protocol)
        out.trouble = facilitator_trouble::no_answer;
    return out;
}

http::client_options options_for(std::chrono::milliseconds timeout)
{
    http::client_options options;
    options.timeout = timeout;
    options.max_body = max_facilitator_answer;
    return options;
}

}  // namespace

const char* to_string(facilitator_trouble trouble) noexcept
{
    switch (trouble)
    {
    case facilitator_trouble::none:
        return "none";
    case facilitator_trouble::unreached:
        return "unreached";
    case facilitator_trouble::slow:
        return "slow";
    case facilitator_trouble::no_answer:
        return "no_answer";
    case facilitator_trouble::redirect:
        return "redirect";
    case facilitator_trouble::credentials:
        return "credentials";
    }
    return "none";
}

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
        co_return unanswered<verify_unavailable>(answer.error(), "facilitator verify");
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
        co_return unanswered<settle_not_sent>(answer.error(), "facilitator settle");
    co_return unanswered<settle_unknown>(answer.error(), "facilitator settle");
}

}  // namespace portitor::x402

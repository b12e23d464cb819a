#include "roles/controller/model_probe.hpp"

#include "roles/controller/model_list.hpp"

namespace portitor::controller {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds deadline(5000);
constexpr std::chrono::milliseconds period(60'000);
constexpr std::chrono::milliseconds retry_period(10'000);
constexpr std::size_t longest_list = 1024 * 1024;

asio::awaitable<result<bool>> ask_list(http::client& client, const offer::model_target& about)
{
    auto where = http::parse_url(about.base_url + (is_ollama(about) ? "/api/tags" : "/v1/models"));
    if (!where)
        co_return where.error();
    http::request message(http::verb::get, where->target, 11);
    message.set(http::field::accept, "application/json");
    http::client_options options;
    options.timeout = deadline;
    options.max_body = longest_list;
    auto answer = co_await client.send(where->origin, std::move(message), options);
    if (!answer)
        co_return answer.error();
    if (answer->result() != http::status::ok)
        co_return fail(errc::protocol, "HTTP {}", answer->result_int());
    co_return lists_model(about, answer->body());
}

asio::awaitable<model_poller::finding> ask(http::client& client, offer::model_target about)
{
    const result<bool> listed = co_await ask_list(client, about);
    offer::model_listing now;
    if (!listed)
    {
        now.said = offer::model_listing::verdict::unreadable;
        now.failure = listed.error().message();
        co_return model_poller::finding(std::move(now), retry_period);
    }
    now.said = *listed ? offer::model_listing::verdict::listed : offer::model_listing::verdict::missing;
    co_return model_poller::finding(std::move(now), *listed ? period : retry_period);
}

}  // namespace

model_poller::question ask_for_model(http::client& client)
{
    return [&client](const offer::model_target& about, offer::model_listing) { return ask(client, about); };
}

}  // namespace portitor::controller

#include "roles/controller/model_probe.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace portitor::controller {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::milliseconds deadline(5000);
constexpr std::chrono::milliseconds period(60'000);
constexpr std::chrono::milliseconds retry_period(10'000);
constexpr std::size_t longest_list = 1024 * 1024;
constexpr std::size_t deepest = 32;

bool is_ollama(const offer::model_target& about)
{
    return about.runtime == "ollama";
}

// "qwen3" is short for "qwen3:latest" to ollama.
bool is_named(std::string_view listed, const offer::model_target& about)
{
    if (listed == about.model)
        return true;
    return is_ollama(about) && about.model.find(':') == about.model.npos && listed == about.model + ":latest";
}

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

result<bool> lists_model(const offer::model_target& about, std::string_view answer)
{
    json::parse_options options;
    options.max_depth = deepest;
    json::error_code failed;
    const json::value parsed =
        json::parse(json::string_view(answer.data(), answer.size()), failed, {}, options);
    const json::object* top = failed ? nullptr : parsed.if_object();
    const json::value* list = top ? top->if_contains(is_ollama(about) ? "models" : "data") : nullptr;
    if (!list || !list->is_array())
        return fail(errc::protocol, "the answer is no list of models");
    const char* const key = is_ollama(about) ? "name" : "id";
    const json::array& models = list->get_array();
    return std::any_of(models.begin(), models.end(), [&](const json::value& each) {
        const json::value* name = each.is_object() ? each.get_object().if_contains(key) : nullptr;
        return name && name->is_string() && is_named(std::string_view(name->get_string()), about);
    });
}

model_poller::question ask_for_model(http::client& client)
{
    return [&client](const offer::model_target& about, offer::model_listing) { return ask(client, about); };
}

}  // namespace portitor::controller

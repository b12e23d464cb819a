#include "x402/facilitator_messages.hpp"
#include "x402/json.hpp"

#include <portitor/x402/networks.hpp>
#include <portitor/x402/supported.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::size_t longest_name = 64;

// It goes into messages that people read.
bool is_network_name(std::string_view text)
{
    const auto is_allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == ':' || c == '*';
    };
    return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), is_allowed);
}

}  // namespace

bool served_networks::has(std::string_view caip2) const
{
    const std::string name(caip2);
    return names_.contains(name) || names_.contains(name.substr(0, name.find(':')) + ":*");
}

result<served_networks> read_supported(std::string_view body, const network_table& known)
{
    const auto read = parse_object(body);
    const json::value* kinds = read ? read->if_contains("kinds") : nullptr;
    if (!kinds || !kinds->is_array())
        return fail(errc::protocol, "its answer is not one of x402");
    if (kinds->get_array().empty())
        return fail(errc::protocol, "its answer lists nothing");
    std::set<std::string> names;
    for (const json::value& each : kinds->get_array())
    {
        const json::object* kind = each.if_object();
        const json::string* scheme = kind ? string_member(*kind, "scheme") : nullptr;
        const json::string* network = kind ? string_member(*kind, "network") : nullptr;
        if (!scheme || view(*scheme) != "exact" || !network || !is_network_name(view(*network)))
            continue;
        const x402::network* listed = known.find(view(*network));
        names.emplace(listed ? std::string_view(listed->caip2) : view(*network));
    }
    return served_networks(std::move(names));
}

asio::awaitable<result<served_networks>> ask_supported(
    http::client& client, std::string url, const network_table& known, std::chrono::milliseconds timeout
)
{
    const auto where = parse_facilitator_url(url);
    if (!where)
        co_return where.error();
    http::request message(http::verb::get, where->target + "/supported", 11);
    message.set(http::field::accept, "application/json");
    http::client_options options;
    options.timeout = timeout;
    options.max_body = max_supported_answer;
    auto answer = co_await client.send(where->origin, std::move(message), options);
    if (!answer)
        co_return answer.error();
    if (is_redirect(*answer))
        co_return fail(errc::protocol, "HTTP {}: {}", answer->result_int(), words_of_redirect(*answer));
    if (answer->result() != http::status::ok)
        co_return fail(errc::protocol, "HTTP {}", answer->result_int());
    co_return read_supported(answer->body(), known);
}

}  // namespace portitor::x402

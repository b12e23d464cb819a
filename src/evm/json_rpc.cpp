#include <portitor/evm/json_rpc.hpp>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace portitor::evm {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

error broken(std::string_view method, unsigned status, std::string_view what)
{
    const bool overloaded = status == 429 || status >= 500;
    return fail(overloaded ? errc::unavailable : errc::protocol, "{} (status {}): {}", method, status, what);
}

/// What a contract gives as its reason: harmless characters only, and not many.
std::string revert_reason(std::string_view message)
{
    constexpr std::string_view before = "execution reverted: ";
    constexpr std::size_t longest = 100;
    const std::size_t at = message.find(before);
    std::string out;
    for (const char each : at == message.npos ? "" : message.substr(at + before.size(), longest))
        out.push_back(each >= ' ' && each <= '~' ? each : '?');
    return out;
}

/// An error by its number, and by what its words mean: the words are the node's, and may quote its key.
rpc_error refused(std::string_view method, unsigned status, const json::value& said)
{
    const json::object* object = said.if_object();
    const json::value* code = object != nullptr ? object->if_contains("code") : nullptr;
    const std::int64_t* number = code != nullptr ? code->if_int64() : nullptr;
    if (number == nullptr)
        return broken(method, status, "the error has no code");
    const json::value* text = object->if_contains("message");
    const std::string_view words =
        text != nullptr && text->is_string() ? std::string_view(text->get_string()) : std::string_view();
    const rpc_refusal means = read_rpc_refusal(words);
    return {
        fail(errc::refused, "{}: the node answers with error {}", method, *number),
        means,
        means == rpc_refusal::reverted ? revert_reason(words) : std::string()};
}

rpc_result<json::value> read_answer(std::string_view method, const http::response& answer, std::uint64_t id)
{
    const unsigned status = answer.result_int();
    boost::system::error_code ec;
    json::value parsed = json::parse(answer.body(), ec);
    json::object* object = ec ? nullptr : parsed.if_object();
    if (object == nullptr)
        return broken(method, status, "the answer is no JSON object");

    const json::value* version = object->if_contains("jsonrpc");
    if (version == nullptr || *version != "2.0")
        return broken(method, status, "the answer is not of JSON-RPC 2.0");
    const json::value* said = object->if_contains("error");
    const bool failed = said != nullptr && !said->is_null();
    // An error that came before the request was understood has no id.
    const json::value* to = object->if_contains("id");
    const bool ours = to != nullptr && (*to == id || (failed && to->is_null()));
    if (!ours)
        return broken(method, status, "the answer is to another call");
    if (failed)
        return refused(method, status, *said);
    json::value* value = object->if_contains("result");
    if (value == nullptr)
        return broken(method, status, "the answer has neither result nor error");
    return std::move(*value);
}

}  // namespace

result<json_rpc> json_rpc::make(http::client& client, std::string_view url, rpc_transport allowed)
{
    auto where = http::parse_url(url);
    if (!where)
        return fail(errc::invalid, "the URL of the node is not an absolute http or https URL");
    if (where->origin.scheme != "https" && allowed == rpc_transport::https_only)
        return fail(errc::invalid, "the URL of the node must begin with https://");
    return json_rpc(client, *std::move(where));
}

asio::awaitable<result<json::value>>
json_rpc::call(std::string method, json::array params, std::chrono::milliseconds timeout)
{
    auto answer = co_await ask(std::move(method), std::move(params), timeout);
    co_return answer ? result<json::value>(std::move(*answer)) : answer.error().to_error();
}

asio::awaitable<rpc_result<json::value>>
json_rpc::ask(std::string method, json::array params, std::chrono::milliseconds timeout)
{
    const std::uint64_t id = ++last_id_;
    json::object body;
    body["jsonrpc"] = "2.0";
    body["id"] = id;
    body["method"] = method;
    body["params"] = std::move(params);

    http::request message(http::verb::post, where_.target, 11);
    message.set(http::field::host, where_.origin.authority());
    message.set(http::field::content_type, "application/json");
    message.set(http::field::accept, "application/json");
    message.body() = json::serialize(body);
    message.prepare_payload();

    http::client_options options;
    options.timeout = timeout;
    options.max_body = max_rpc_answer;
    http::origin server = where_.origin;
    auto answer = co_await client_->send(std::move(server), std::move(message), options);
    // The message of a failure below names the server, and a key may be part of its name.
    if (!answer)
        co_return error(answer.error().code(), fmt::format("{}: no answer from the node", method));
    co_return read_answer(method, *answer, id);
}

result<u256> parse_quantity(std::string_view text)
{
    constexpr std::size_t longest = 2 + 64;
    const bool shaped = text.starts_with("0x") && text.size() > 2 && text.size() <= longest &&
                        text.find_first_not_of("0123456789abcdefABCDEF", 2) == text.npos &&
                        (text == "0x0" || text[2] != '0');
    if (!shaped)
        return fail(errc::invalid, "not a hexadecimal quantity");
    return u256(std::string(text));
}

std::string to_quantity(std::uint64_t number)
{
    return fmt::format("{:#x}", number);
}

}  // namespace portitor::evm

#include <portitor/core/http_client.hpp>
#include <portitor/kube/api.hpp>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <charconv>

namespace portitor::kube {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr int page_size = 500;
constexpr auto request_deadline = std::chrono::seconds(30);
constexpr std::size_t longest_answer = 64 * 1024 * 1024;

std::string encode(std::string_view text)
{
    return boost::urls::encode(
        boost::core::string_view(text.data(), text.size()), boost::urls::unreserved_chars
    );
}

std::string collection_path(const resource& kind, const std::string& ns)
{
    std::string path = kind.group.empty() ? fmt::format("/api/{}", kind.version)
                                          : fmt::format("/apis/{}/{}", kind.group, kind.version);
    if (!ns.empty())
        path += "/namespaces/" + encode(ns);
    return fmt::format("{}/{}", path, kind.plural);
}

std::string object_path(const resource& kind, const object_key& key)
{
    return collection_path(kind, key.ns) + "/" + encode(key.name);
}

errc code_of(unsigned http_status)
{
    switch (http_status)
    {
    case 400:
    case 422:
        return errc::invalid;
    case 404:
        return errc::not_found;
    case 409:
    case 410:
        return errc::conflict;
    case 401:
    case 403:
        return errc::refused;
    default:
        return errc::unavailable;
    }
}

std::chrono::seconds retry_after_of(const boost::beast::http::fields& headers)
{
    const auto text = headers[http::field::retry_after];
    int seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return std::chrono::seconds(std::clamp(seconds, 0, 120));
}

/// The error that a non-2xx answer tells. Its body is a Status from the API server, but may be text from a
/// proxy.
api_error read_error(unsigned http_status, const boost::beast::http::fields& headers, const std::string& body)
{
    std::string reason;
    std::string message = fmt::format("the API server answered {}", http_status);
    boost::system::error_code ec;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), ec);
    if (!ec && parsed.is_object())
    {
        reason = string_at(parsed.get_object(), "reason");
        if (auto text = string_at(parsed.get_object(), "message"); !text.empty())
            message = fmt::format("{}: {}", message, text.substr(0, 1000));
    }
    return {http_status, reason, message, retry_after_of(headers)};
}

class http_api final : public api
{
public:
    http_api(std::unique_ptr<http::client> client, connection_config server, logger log, metrics& numbers)
        : client_(std::move(client)), server_(std::move(server)), log_(std::move(log)), numbers_(numbers)
    {}

    asio::awaitable<api_result<object_ptr>> get(resource kind, object_key key) override
    {
        http::request message(http::verb::get, object_path(kind, key), 11);
        co_return read_object(co_await send(std::move(message)));
    }

    asio::awaitable<api_result<object_page>>
    list(resource kind, selection which, std::string resource_version, std::string continue_token) override
    {
        std::string target = fmt::format("{}?limit={}", collection_path(kind, which.ns), page_size);
        if (!which.labels.empty())
            target += "&labelSelector=" + encode(which.labels);
        // A follow-up page belongs to its snapshot; the server refuses it with a resourceVersion.
        if (!continue_token.empty())
            target += "&continue=" + encode(continue_token);
        else if (!resource_version.empty())
            target += "&resourceVersion=" + encode(resource_version);
        http::request message(http::verb::get, target, 11);
        co_return read_page(co_await send(std::move(message)));
    }

    asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
    watch(resource kind, selection which, std::string resource_version, std::chrono::seconds timeout) override
    {
        std::string target = fmt::format(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}",
            collection_path(kind, which.ns),
            timeout.count(),
            encode(resource_version)
        );
        if (!which.labels.empty())
            target += "&labelSelector=" + encode(which.labels);
        http::request message(http::verb::get, target, 11);
        authorize(message);
        http::client_options options;
        options.timeout = request_deadline;
        auto stream = co_await client_->open(server_.server, std::move(message), options);
        if (!stream)
            co_return api_error(stream.error());
        count((*stream)->status_code(), "GET");
        if ((*stream)->status_code() != 200)
        {
            if ((*stream)->status_code() == 401)
                server_.token.expire();
            std::string body;
            auto piece = co_await (*stream)->read_some(std::chrono::seconds(5));
            if (piece)
                body = std::move(*piece);
            co_return read_error((*stream)->status_code(), (*stream)->headers(), body);
        }
        co_return std::move(*stream);
    }

    asio::awaitable<api_result<object_ptr>>
    apply(resource kind, json::object wanted, std::string field_manager, std::string subresource) override
    {
        const object_key key{string_at(wanted, "metadata.namespace"), string_at(wanted, "metadata.name")};
        std::string target = object_path(kind, key);
        if (!subresource.empty())
            target += "/" + subresource;
        target += fmt::format("?fieldManager={}&force=true&fieldValidation=Strict", encode(field_manager));
        http::request message(http::verb::patch, target, 11);
        message.set(http::field::content_type, "application/apply-patch+yaml");
        message.body() = json::serialize(wanted);
        co_return read_object(co_await send(std::move(message)));
    }

    asio::awaitable<api_result<object_ptr>>
    patch(resource kind, object_key key, json::array operations) override
    {
        http::request message(http::verb::patch, object_path(kind, key), 11);
        message.set(http::field::content_type, "application/json-patch+json");
        message.body() = json::serialize(operations);
        co_return read_object(co_await send(std::move(message)));
    }

    asio::awaitable<api_result<void>> remove(resource kind, object_key key, std::string uid) override
    {
        http::request message(http::verb::delete_, object_path(kind, key), 11);
        message.set(http::field::content_type, "application/json");
        const json::object preconditions{{"uid", uid}};
        const json::object options{
            {"apiVersion", "v1"},
            {"kind", "DeleteOptions"},
            {"propagationPolicy", "Background"},
            {"preconditions", preconditions},
        };
        message.body() = json::serialize(options);
        const auto answer = co_await send(std::move(message));
        // Not found: gone already. Conflict: another object has the name now; the one that was meant is gone.
        if (!answer && !answer.error().is_not_found() && !answer.error().is_conflict())
            co_return answer.error();
        co_return api_result<void>();
    }

    asio::awaitable<api_result<void>> create(resource kind, json::object wanted) override
    {
        http::request message(
            http::verb::post, collection_path(kind, string_at(wanted, "metadata.namespace")), 11
        );
        message.set(http::field::content_type, "application/json");
        message.body() = json::serialize(wanted);
        const auto answer = co_await send(std::move(message));
        if (!answer)
            co_return answer.error();
        co_return api_result<void>();
    }

private:
    void authorize(http::request& message)
    {
        message.set(http::field::accept, "application/json");
        const std::string& token = server_.token.value();
        if (!token.empty())
            message.set(http::field::authorization, "Bearer " + token);
    }

    void count(unsigned http_status, std::string method)
    {
        const std::string code = http_status == 0 ? "<error>" : std::to_string(http_status);
        metric_labels labels{
            {"code", code}, {"method", std::move(method)}, {"host", server_.server.authority()}};
        numbers_.counter("rest_client_requests_total", "Requests to the API server", std::move(labels)).add();
    }

    asio::awaitable<api_result<http::response>> send(http::request message)
    {
        const std::string method(message.method_string());
        http::client_options options;
        options.timeout = request_deadline;
        options.max_body = longest_answer;
        authorize(message);
        http::request again = message;
        auto answer = co_await client_->send(server_.server, std::move(message), options);
        if (answer && answer->result_int() == 401)
        {
            // The kubelet may have renewed the token a moment ago.
            server_.token.expire();
            authorize(again);
            answer = co_await client_->send(server_.server, std::move(again), options);
        }
        count(answer ? answer->result_int() : 0, method);
        if (!answer)
            co_return api_error(answer.error());
        if (answer->result_int() < 200 || answer->result_int() > 299)
            co_return read_error(answer->result_int(), *answer, answer->body());
        co_return std::move(*answer);
    }

    static api_result<json::object> read_json(const api_result<http::response>& answer)
    {
        if (!answer)
            return answer.error();
        boost::system::error_code ec;
        json::value parsed = json::parse(json::string_view(answer->body().data(), answer->body().size()), ec);
        if (ec || !parsed.is_object())
            return api_error(fail(errc::protocol, "the API server answered something that is no JSON object")
            );
        return std::move(parsed.get_object());
    }

    static api_result<object_ptr> read_object(const api_result<http::response>& answer)
    {
        auto parsed = read_json(answer);
        if (!parsed)
            return parsed.error();
        auto made = parse_object(std::move(*parsed));
        if (!made)
            return api_error(made.error());
        return *made;
    }

    static api_result<object_page> read_page(const api_result<http::response>& answer)
    {
        auto parsed = read_json(answer);
        if (!parsed)
            return parsed.error();
        object_page page;
        page.resource_version = string_at(*parsed, "metadata.resourceVersion");
        page.continue_token = string_at(*parsed, "metadata.continue");
        json::value* items = parsed->if_contains("items");
        if (!items || !items->is_array())
            return api_error(fail(errc::protocol, "the API server answered a list without items"));
        for (json::value& each : items->get_array())
        {
            if (!each.is_object())
                continue;
            auto made = parse_object(std::move(each.get_object()));
            if (made)
                page.items.push_back(std::move(*made));
        }
        return page;
    }

    std::unique_ptr<http::client> client_;
    connection_config server_;
    logger log_;
    metrics& numbers_;
};

}  // namespace

api_error::api_error(
    unsigned http_status, std::string reason, std::string message, std::chrono::seconds retry_after
)
    : code_(code_of(http_status)), http_status_(http_status), reason_(std::move(reason)),
      message_(std::move(message)), retry_after_(retry_after)
{}

bool api_error::is_expired() const
{
    return http_status_ == 410 || reason_ == "Expired" || reason_ == "Gone" ||
           message_.find("Too large resource version") != message_.npos;
}

result<std::unique_ptr<api>>
make_api(asio::any_io_executor executor, connection_config server, logger log, metrics& numbers)
{
    http::client_settings settings;
    settings.tls = server.tls;
    settings.max_idle = std::chrono::seconds(60);
    auto client = http::make_client(executor, settings);
    if (!client)
        return client.error();
    return std::unique_ptr<api>(
        std::make_unique<http_api>(std::move(*client), std::move(server), std::move(log), numbers)
    );
}

}  // namespace portitor::kube

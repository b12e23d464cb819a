#include "kube/dated_clock.hpp"
#include "kube/document_parser.hpp"
#include "kube/status.hpp"

#include <portitor/http/client.hpp>
#include <portitor/http/retry_after.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/object_reader.hpp>

#include <boost/json/serialize.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

namespace portitor::kube {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr const char* json_type = "application/json";
constexpr int page_size = 500;
constexpr auto request_deadline = std::chrono::seconds(30);
constexpr auto page_deadline = std::chrono::seconds(60);
constexpr std::size_t longest_answer = 64 * 1024 * 1024;
constexpr std::size_t longest_other = 1024 * 1024;
constexpr std::size_t longest_failure = 64 * 1024;
constexpr int most_attempts = 10;

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

object_key key_of(const json::object& manifest)
{
    return {string_at(manifest, "metadata.namespace"), string_at(manifest, "metadata.name")};
}

std::string selectors(const selection& which)
{
    std::string out;
    if (!which.labels.empty())
        out += "&labelSelector=" + encode(which.labels);
    if (!which.fields.empty())
        out += "&fieldSelector=" + encode(which.fields);
    return out;
}

// As PartialObjectMetadata the server leaves out all but the metadata.
std::string accept(const selection& which, std::string_view partial_kind)
{
    return which.metadata_only ? fmt::format("application/json;as={};g=meta.k8s.io;v=v1", partial_kind)
                               : std::string(json_type);
}

std::chrono::seconds retry_after_of(const boost::beast::http::fields& headers)
{
    return bounded_pause(http::retry_after(headers).count());
}

// Server-side apply is read as YAML, which refuses some characters that JSON takes as they are: DEL, the C1
// controls, U+FFFE and U+FFFF. In JSON they stand in texts only, where an escape means the same.
std::string without_odd_characters(std::string json)
{
    std::string out;
    std::size_t taken = 0;
    const auto escape = [&](std::size_t at, std::size_t size, unsigned code) {
        out.append(json, taken, at - taken);
        out += fmt::format("\\u{:04x}", code);
        taken = at + size;
    };
    for (std::size_t i = 0; i < json.size(); ++i)
    {
        const auto byte = [&](std::size_t at) {
            return at < json.size() ? static_cast<unsigned char>(json[at]) : 0U;
        };
        if (byte(i) == 0x7f)
            escape(i, 1, 0x7f);
        else if (byte(i) == 0xc2 && byte(i + 1) >= 0x80 && byte(i + 1) <= 0x9f)
            escape(i, 2, byte(i + 1));
        else if (byte(i) == 0xef && byte(i + 1) == 0xbf && byte(i + 2) >= 0xbe)
            escape(i, 3, 0xff40 + byte(i + 2));
    }
    if (taken == 0)
        return json;
    out.append(json, taken);
    return out;
}

template <typename Json>
http::request
make_request(http::verb method, const std::string& target, const char* content_type, const Json& body)
{
    http::request out(method, target, 11);
    out.set(http::field::content_type, content_type);
    out.body() = without_odd_characters(json::serialize(body));
    return out;
}

bool is_success(unsigned http_status)
{
    return http_status >= 200 && http_status <= 299;
}

/// 429, and those 5xx that say when to come back.
bool asks_to_retry(unsigned http_status, std::chrono::seconds retry_after)
{
    return retry_after.count() > 0 && (http_status == 429 || http_status >= 500);
}

class http_api final : public api
{
public:
    http_api(
        asio::any_io_executor executor,
        std::unique_ptr<credentials> who,
        throttle_settings limits,
        timekeeper& time,
        metrics& numbers
    )
        : executor_(executor), who_(std::move(who)), throttle_(executor, limits, time), time_(time),
          numbers_(numbers), host_(who_->server().authority())
    {}

    asio::awaitable<api_result<object_ptr>> get(resource kind, object_key key, request_class urgency) override
    {
        http::request message(http::verb::get, object_path(kind, key), 11);
        co_return read_object(co_await send(std::move(message), urgency));
    }

    asio::awaitable<api_result<list_page>>
    list(resource kind, selection which, list_position from, item_handler each) override
    {
        std::string target =
            fmt::format("{}?limit={}{}", collection_path(kind, which.ns), page_size, selectors(which));
        // A follow-up page belongs to its snapshot; the server refuses it with a resourceVersion.
        if (!from.continue_token.empty())
            target += "&continue=" + encode(from.continue_token);
        else if (!from.resource_version.empty())
            target +=
                "&resourceVersion=" + encode(from.resource_version) + "&resourceVersionMatch=NotOlderThan";
        http::request message(http::verb::get, target, 11);
        message.set(http::field::accept, accept(which, "PartialObjectMetadataList"));
        const auto permit = co_await throttle_.acquire(request_class::normal);
        const auto started = time_.now();
        auto stream = co_await open(std::move(message), true);
        if (!stream)
            co_return stream.error();
        list_reader reader(std::move(each), which.filter);
        for (;;)
        {
            if (time_.now() - started > page_deadline)
                co_return api_error(fail(errc::timed_out, "a page of {} took too long", kind.plural));
            auto piece = co_await (*stream)->read_some(request_deadline);
            if (!piece)
                co_return api_error(piece.error());
            if (piece->empty())
                break;
            const auto fed = reader.feed(*piece);
            if (!fed)
                co_return api_error(fed.error());
        }
        auto page = reader.finish();
        if (!page)
            co_return api_error(page.error());
        co_return std::move(*page);
    }

    asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
    watch(resource kind, selection which, std::string resource_version, std::chrono::seconds timeout) override
    {
        const std::string target = fmt::format(
            "{}?watch=1&allowWatchBookmarks=true&timeoutSeconds={}&resourceVersion={}{}",
            collection_path(kind, which.ns),
            timeout.count(),
            encode(resource_version),
            selectors(which)
        );
        http::request message(http::verb::get, target, 11);
        message.set(http::field::accept, accept(which, "PartialObjectMetadata"));
        const auto permit = co_await throttle_.acquire(request_class::normal);
        co_return co_await open(std::move(message), false);
    }

    asio::awaitable<api_result<object_ptr>>
    apply(resource kind, json::object wanted, apply_options how) override
    {
        std::string target = object_path(kind, key_of(wanted));
        if (!how.subresource.empty())
            target += "/" + how.subresource;
        target += fmt::format(
            "?fieldManager={}&force={}&fieldValidation=Strict", encode(how.field_manager), how.force
        );
        if (how.dry_run)
            target += "&dryRun=All";
        auto message = make_request(http::verb::patch, target, "application/apply-patch+yaml", wanted);
        const auto urgency = how.subresource == "status" ? request_class::status : request_class::normal;
        co_return read_object(co_await send(std::move(message), urgency));
    }

    asio::awaitable<api_result<object_ptr>>
    patch(resource kind, object_key key, json::array operations) override
    {
        auto message = make_request(
            http::verb::patch, object_path(kind, key), "application/json-patch+json", operations
        );
        co_return read_object(co_await send(std::move(message), request_class::normal));
    }

    asio::awaitable<api_result<object_ptr>>
    replace(resource kind, json::object whole, request_class urgency) override
    {
        auto message = make_request(http::verb::put, object_path(kind, key_of(whole)), json_type, whole);
        co_return read_object(co_await send(std::move(message), urgency));
    }

    asio::awaitable<api_result<object_ptr>>
    create(resource kind, json::object wanted, request_class urgency) override
    {
        const std::string target = collection_path(kind, key_of(wanted).ns);
        auto message = make_request(http::verb::post, target, json_type, wanted);
        co_return read_object(co_await send(std::move(message), urgency));
    }

    asio::awaitable<api_result<void>> remove(resource kind, object_key key, delete_options which) override
    {
        json::object preconditions{{"uid", which.uid}};
        if (!which.resource_version.empty())
            preconditions["resourceVersion"] = which.resource_version;
        const json::object options{
            {"apiVersion", "v1"},
            {"kind", "DeleteOptions"},
            {"propagationPolicy", which.propagation},
            {"preconditions", preconditions},
        };
        auto message = make_request(http::verb::delete_, object_path(kind, key), json_type, options);
        const auto answer = co_await send(std::move(message), request_class::normal);
        if (answer || answer.error().is_not_found())
            co_return api_result<void>();
        // Another object has the name now, and the one that was meant is gone; or it has changed, which only
        // matters to who named a version.
        if (answer.error().is_conflict() && which.resource_version.empty())
            co_return api_result<void>();
        co_return answer.error();
    }

    asio::awaitable<result<http::response>>
    ask(http::verb method, std::string target, std::string body) override
    {
        http::request message(method, target, 11);
        if (!body.empty())
            message.set(http::field::content_type, json_type);
        message.body() = std::move(body);
        co_return co_await exchange(std::move(message), request_class::normal, longest_other);
    }

    std::optional<clock::time_point> server_time() const override { return clock_.at(time_.now()); }

private:
    asio::awaitable<api_result<void>> authorize(http::request& message)
    {
        auto shown = co_await who_->current();
        if (!shown)
            co_return api_error(shown.error());
        if (shown->tls != tls_)
        {
            auto used = use(shown->tls);
            if (!used)
                co_return api_error(used.error());
        }
        if (message.find(http::field::accept) == message.end())
            message.set(http::field::accept, json_type);
        if (!shown->bearer_token.empty())
            message.set(http::field::authorization, "Bearer " + shown->bearer_token);
        co_return api_result<void>();
    }

    result<void> use(std::shared_ptr<const http::tls_settings> tls)
    {
        result<void> used;
        if (client_)
            used = client_->use_tls(*tls);
        else
        {
            http::client_settings settings;
            settings.tls = *tls;
            settings.max_idle = std::chrono::seconds(60);
            auto made = http::make_client(executor_, settings);
            if (!made)
                return made.error();
            client_ = std::move(*made);
        }
        if (used)
            tls_ = std::move(tls);
        return used;
    }

    void count(std::string_view method, unsigned http_status, timekeeper::time_point started)
    {
        const std::string verb(method);
        const std::string code = http_status == 0 ? "<error>" : std::to_string(http_status);
        metric_labels by_code{{"code", code}, {"method", verb}, {"host", host_}};
        numbers_.counter("rest_client_requests_total", "Requests to the API server", std::move(by_code))
            .add();
        const std::chrono::duration<double> took = time_.now() - started;
        metric_labels by_verb{{"verb", verb}, {"host", host_}};
        numbers_
            .histogram(
                "rest_client_request_duration_seconds",
                "Time to the answer of the API server",
                std::move(by_verb)
            )
            .observe(took.count());
    }

    /// A request and the header of its answer, which is 200; else its error.
    asio::awaitable<api_result<std::unique_ptr<http::body_stream>>> open(http::request message, bool pooled)
    {
        http::client_options options;
        options.timeout = request_deadline;
        options.pooled = pooled;
        for (bool again = true;; again = false)
        {
            auto authorized = co_await authorize(message);
            if (!authorized)
                co_return authorized.error();
            const auto started = time_.now();
            auto stream = co_await client_->open(who_->server(), message, options);
            count("GET", stream ? (*stream)->status_code() : 0, started);
            if (!stream)
                co_return api_error(stream.error());
            clock_.note((*stream)->headers(), time_.now());
            const unsigned code = (*stream)->status_code();
            if (code == 200)
                co_return std::move(*stream);
            if (code == 401)
                who_->expire();
            if (code != 401 || !again)
                co_return co_await read_refusal(**stream);
        }
    }

    static asio::awaitable<api_error> read_refusal(http::body_stream& stream)
    {
        std::string body;
        for (;;)
        {
            auto piece = co_await stream.read_some(std::chrono::seconds(5));
            if (!piece || piece->empty() || body.size() > longest_failure)
                break;
            body += *piece;
        }
        co_return read_failure(body, stream.status_code(), retry_after_of(stream.headers()));
    }

    asio::awaitable<api_result<http::response>> send(http::request message, request_class urgency)
    {
        bool renewed = false;
        for (int attempt = 1;; ++attempt)
        {
            auto answer = co_await exchange(message, urgency);
            if (!answer)
                co_return api_error(answer.error());
            const unsigned code = answer->result_int();
            if (is_success(code))
                co_return std::move(*answer);
            const auto pause = retry_after_of(*answer);
            if (code == 401 && !std::exchange(renewed, true))
                who_->expire();
            // A lease is worthless when it comes late: its owner decides.
            else if (asks_to_retry(code, pause) && attempt < most_attempts && urgency != request_class::lease)
                co_await time_.sleep_for(pause);
            else
                co_return read_failure(answer->body(), code, pause);
        }
    }

    asio::awaitable<result<http::response>>
    exchange(http::request message, request_class urgency, std::size_t longest = longest_answer)
    {
        const auto asked = time_.now();
        const auto permit = co_await throttle_.acquire(urgency);
        const std::chrono::duration<double> waited = time_.now() - asked;
        limiter_seconds_.observe(waited.count());
        auto authorized = co_await authorize(message);
        if (!authorized)
            co_return authorized.error().to_error();
        http::client_options options;
        options.timeout = request_deadline;
        options.max_body = longest;
        const auto started = time_.now();
        const std::string method(message.method_string());
        auto answer = co_await client_->send(who_->server(), std::move(message), options);
        count(method, answer ? answer->result_int() : 0, started);
        if (answer)
            clock_.note(*answer, time_.now());
        co_return answer;
    }

    static api_result<object_ptr> read_object(const api_result<http::response>& answer)
    {
        if (!answer)
            return answer.error();
        auto parsed = parse_whole(answer->body());
        if (!parsed)
            return api_error(fail(errc::protocol, "the API server answered something that is no object"));
        auto made = parse_unreadable(std::move(parsed->raw), std::move(parsed->cut));
        if (!made)
            return api_error(made.error());
        return std::move(*made);
    }

    asio::any_io_executor executor_;
    std::unique_ptr<credentials> who_;
    std::shared_ptr<const http::tls_settings> tls_;  ///< what client_ uses
    std::unique_ptr<http::client> client_;
    throttle throttle_;
    timekeeper& time_;
    dated_clock clock_;
    metrics& numbers_;
    std::string host_;
    histogram& limiter_seconds_ = numbers_.histogram(
        "rest_client_rate_limiter_duration_seconds", "Time that requests waited for their turn"
    );
};

}  // namespace

std::unique_ptr<api> make_api(
    asio::any_io_executor executor,
    std::unique_ptr<credentials> who,
    throttle_settings limits,
    timekeeper& time,
    metrics& numbers
)
{
    return std::make_unique<http_api>(std::move(executor), std::move(who), limits, time, numbers);
}

}  // namespace portitor::kube

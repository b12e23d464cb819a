#include "sandbox/api.hpp"

#include "kube/status.hpp"
#include "sandbox/watch_stream.hpp"
#include "sandbox/watch_text.hpp"

#include <portitor/kube/object_reader.hpp>

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/serialize.hpp>

namespace portitor::sandbox {

namespace asio = boost::asio;
namespace json = boost::json;
using kube::api_error;
using kube::api_result;
using kube::object_key;
using kube::object_ptr;
using kube::resource;

namespace {

constexpr std::size_t page_size = 500;
constexpr std::chrono::seconds request_deadline(30);
// Who writes otherwise than by an apply.
constexpr const char* writer = "portitor";

object_key key_of(const json::object& manifest)
{
    return {kube::string_at(manifest, "metadata.namespace"), kube::string_at(manifest, "metadata.name")};
}

answer bad_request(const error& why)
{
    return refusal(400, "BadRequest", why.message());
}

}  // namespace

// The way there: a turn of the executor, a server that stands still, and one that is gone.
asio::awaitable<result<http::response>> api::ask(http::verb method, std::string target, std::string body)
{
    const auto reached = co_await reach("GET");
    if (!reached)
        co_return reached.error().to_error();
    co_return co_await kube::api::ask(method, std::move(target), std::move(body));
}

asio::awaitable<api_result<void>> api::reach(const char* method)
{
    co_await asio::post(asio::use_awaitable);
    const unsigned stops = server_.happened().stops;
    const auto give_up = server_.time().now() + request_deadline;
    while (server_.is_running() && server_.is_frozen() && server_.time().now() < give_up)
        co_await server_.wait_for_change(give_up);
    if (server_.is_running() && !server_.is_frozen() && server_.happened().stops == stops)
        co_return api_result<void>();
    count(method, 0);
    if (server_.is_running() && server_.is_frozen())
        co_return api_error(fail(errc::timed_out, "the sandbox's API server: timed out"));
    co_return api_error(fail(errc::unavailable, "the sandbox's API server is not running"));
}

void api::count(const char* method, unsigned code)
{
    const std::string text = code == 0 ? "<error>" : std::to_string(code);
    metric_labels labels{{"code", text}, {"method", method}, {"host", "sandbox"}};
    numbers_.counter("rest_client_requests_total", "Requests to the API server", std::move(labels)).add();
}

api_error api::failure(const char* method, const answer& said)
{
    count(method, said.code);
    const auto pause = kube::int_at(said.body, "details.retryAfterSeconds");
    return kube::read_status(said.body, said.code, kube::bounded_pause(pause));
}

api_result<object_ptr> api::object_of(const char* method, answer said)
{
    if (!said.good())
        return failure(method, said);
    count(method, said.code);
    auto made = kube::parse_object(std::move(said.body));
    if (!made)
        return api_error(made.error());
    return std::move(*made);
}

asio::awaitable<api_result<object_ptr>> api::get(resource kind, object_key key, kube::request_class)
{
    if (auto reached = co_await reach("GET"); !reached)
        co_return reached.error();
    co_return object_of("GET", server_.storage().get(kind_id(kind), key));
}

asio::awaitable<api_result<kube::list_page>>
api::list(resource kind, kube::selection which, kube::list_position from, kube::item_handler each)
{
    if (auto reached = co_await reach("GET"); !reached)
        co_return reached.error();
    const auto selected = kube::make_predicate(which.ns, which.labels, which.fields);
    if (!selected)
        co_return failure("GET", bad_request(selected.error()));
    const stored_page page = server_.storage().list(kind_id(kind), *selected, from, page_size);
    if (page.refused)
        co_return failure("GET", *page.refused);
    count("GET", 200);
    json::object meta{{"resourceVersion", std::to_string(page.version)}};
    if (!page.continue_token.empty())
        meta["continue"] = page.continue_token;
    // As text, so that the same is left out of it as of a real server's.
    kube::list_reader reader(std::move(each), which.filter);
    auto fed = reader.feed(fmt::format(
        R"({{"kind":"{}List","apiVersion":"{}","metadata":{},"items":[)",
        kind.kind,
        kind.api_version(),
        json::serialize(meta)
    ));
    for (std::size_t i = 0; i < page.items.size() && fed; ++i)
        fed = reader.feed((i == 0 ? "" : ",") + json::serialize(shown(*page.items[i], which.metadata_only)));
    if (fed)
        fed = reader.feed("]}\n");
    if (!fed)
        co_return api_error(fed.error());
    auto read = reader.finish();
    if (!read)
        co_return api_error(read.error());
    co_return std::move(*read);
}

asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
api::watch(resource kind, kube::selection which, std::string resource_version, std::chrono::seconds timeout)
{
    if (auto reached = co_await reach("GET"); !reached)
        co_return reached.error();
    storage& from = server_.storage();
    const kind_info* known = from.find_kind(kind_id(kind));
    if (!known)
        co_return failure("GET", no_such_resource());
    auto selected = kube::make_predicate(which.ns, which.labels, which.fields);
    if (!selected)
        co_return failure("GET", bad_request(selected.error()));
    const auto version = parse_version(resource_version);
    if (!version)
        co_return failure("GET", refusal(400, "BadRequest", "resourceVersion: Invalid value"));
    if (*version > from.version())
        co_return failure("GET", too_large(resource_version));
    count("GET", 200);
    watch_stream::request what{*known, std::move(*selected), which.metadata_only, *version, timeout};
    what.too_old = *version < from.oldest();
    auto stream = std::make_unique<watch_stream>(server_, std::move(what));
    co_return std::unique_ptr<http::body_stream>(std::move(stream));
}

asio::awaitable<api_result<object_ptr>>
api::apply(resource kind, json::object wanted, kube::apply_options how)
{
    if (auto reached = co_await reach("PATCH"); !reached)
        co_return reached.error();
    const object_key key = key_of(wanted);
    co_return object_of("PATCH", server_.storage().apply(kind_id(kind), key, std::move(wanted), how));
}

asio::awaitable<api_result<object_ptr>> api::patch(resource kind, object_key key, json::array operations)
{
    if (auto reached = co_await reach("PATCH"); !reached)
        co_return reached.error();
    co_return object_of("PATCH", server_.storage().patch(kind_id(kind), key, operations, writer));
}

asio::awaitable<api_result<object_ptr>> api::replace(resource kind, json::object whole, kube::request_class)
{
    if (auto reached = co_await reach("PUT"); !reached)
        co_return reached.error();
    const object_key key = key_of(whole);
    co_return object_of("PUT", server_.storage().replace(kind_id(kind), key, std::move(whole), writer));
}

asio::awaitable<api_result<object_ptr>> api::create(resource kind, json::object wanted, kube::request_class)
{
    if (auto reached = co_await reach("POST"); !reached)
        co_return reached.error();
    const std::string ns = key_of(wanted).ns;
    co_return object_of("POST", server_.storage().create(kind_id(kind), ns, std::move(wanted), writer));
}

asio::awaitable<api_result<void>> api::remove(resource kind, object_key key, kube::delete_options which)
{
    if (auto reached = co_await reach("DELETE"); !reached)
        co_return reached.error();
    json::object preconditions{{"uid", which.uid}};
    if (!which.resource_version.empty())
        preconditions["resourceVersion"] = which.resource_version;
    const json::object options{{"preconditions", std::move(preconditions)}};
    const answer said = server_.storage().remove(kind_id(kind), key, options);
    if (said.good())
    {
        count("DELETE", said.code);
        co_return api_result<void>();
    }
    const api_error why = failure("DELETE", said);
    // Another object has the name now, and the one that was meant is gone; see http_api.
    if (why.is_not_found() || (why.is_conflict() && which.resource_version.empty()))
        co_return api_result<void>();
    co_return why;
}

}  // namespace portitor::sandbox

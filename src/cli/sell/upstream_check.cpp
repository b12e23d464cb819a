#include "cli/sell/upstream_check.hpp"

#include "cli/sell/api_words.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>

namespace portitor::cli::sell {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr const char* about = "upstream";
constexpr std::string_view no_endpoints = "no endpoints available";

bool has_port(const kube::object& service, std::uint16_t port)
{
    const json::array& ports = kube::array_at(service.raw, "spec.ports");
    return std::any_of(ports.begin(), ports.end(), [&](const json::value& each) {
        return kube::int_at(kube::as_object(each), "port") == port;
    });
}

std::string ports_of(const kube::object& service)
{
    std::string out;
    for (const json::value& each : kube::array_at(service.raw, "spec.ports"))
        out += fmt::format("{}{}", out.empty() ? "" : ", ", kube::int_at(kube::as_object(each), "port"));
    return out.empty() ? "none" : out;
}

/// What the API server itself says in the service's place; empty where the answer is the service's.
std::string said_by_server(const http::response& answer)
{
    boost::system::error_code failed;
    const json::value body = json::parse(answer.body(), failed);
    if (failed || !body.is_object() || kube::string_at(body.get_object(), "kind") != "Status" ||
        kube::string_at(body.get_object(), "apiVersion") != "v1")
        return {};
    return kube::string_or(body.get_object(), "message", "no reason given");
}

/// Whether the Service has an endpoint that is ready, by its EndpointSlices; false also where they cannot be
/// read.
asio::awaitable<bool> has_ready_endpoint(kube::api& server, api::service_offer::upstream_spec upstream)
{
    bool found = false;
    kube::selection which;
    which.ns = upstream.ns;
    which.labels = "kubernetes.io/service-name=" + upstream.service;
    const auto listed =
        co_await server
            .list(api::endpoint_slice_resource, which, {}, [&](json::object&& slice, std::string_view) {
                for (const json::value& each : kube::array_at(slice, "endpoints"))
                    found = found || kube::bool_at(kube::as_object(each), "conditions.ready", true);
                return result<void>();
            });
    co_return listed&& found;
}

asio::awaitable<void>
check_health(kube::api& server, api::service_offer::upstream_spec upstream, findings& into)
{
    const std::string where =
        fmt::format("http://{}.{}:{}{}", upstream.service, upstream.ns, upstream.port, upstream.health_path);
    const auto answer = co_await server.ask(
        http::verb::get,
        fmt::format(
            "/api/v1/namespaces/{}/services/http:{}:{}/proxy{}",
            upstream.ns,
            upstream.service,
            upstream.port,
            upstream.health_path
        )
    );
    if (!answer)
    {
        into.add(
            finding_level::not_checked, "health", fmt::format("{}: {}", where, answer.error().message())
        );
        co_return;
    }
    const unsigned code = answer->result_int();
    const std::string refusal = code >= 400 ? said_by_server(*answer) : "";
    if (code >= 200 && code <= 299)
        into.add(finding_level::ok, "health", fmt::format("{} answers ({})", where, code));
    else if (code == 403 && !refusal.empty())
        into.add(
            finding_level::not_checked,
            "health",
            fmt::format("{}: you have no right to get services/proxy in namespace {}", where, upstream.ns)
        );
    else if (refusal.starts_with(no_endpoints) && co_await has_ready_endpoint(server, upstream))
        // The API server's proxy reaches pods alone: it skips the addresses of anything else.
        into.add(
            finding_level::not_checked,
            "health",
            fmt::format(
                "{}: the Service has a ready endpoint, but none that the API server may ask ({})",
                where,
                refusal
            )
        );
    else
        into.add(
            finding_level::warning,
            "health",
            fmt::format(
                "{}: {}; nobody is asked to pay before it answers with 2xx",
                where,
                refusal.empty() ? fmt::format("HTTP {}", code) : refusal
            )
        );
}

}  // namespace

asio::awaitable<void>
check_upstream(kube::api& server, api::service_offer::upstream_spec upstream, findings& into)
{
    const kube::object_key key{upstream.ns, upstream.service};
    const auto live = co_await server.get(api::service_resource, key);
    if (!live && live.error().is_not_found())
    {
        into.add(
            finding_level::error,
            about,
            fmt::format(
                "there is no Service {}; kubectl get services -n {} shows those that are there",
                key.to_string(),
                key.ns
            )
        );
        co_return;
    }
    if (!live)
    {
        into.add(
            finding_level::not_checked,
            about,
            in_words(live.error(), "get", api::service_resource, key).message()
        );
    }
    else if (!has_port(**live, upstream.port))
    {
        into.add(
            finding_level::error,
            about,
            fmt::format(
                "Service {} has no port {}; its ports: {}", key.to_string(), upstream.port, ports_of(**live)
            )
        );
        co_return;
    }
    else
        into.add(
            finding_level::ok, about, fmt::format("Service {} has port {}", key.to_string(), upstream.port)
        );
    co_await check_health(server, std::move(upstream), into);
}

}  // namespace portitor::cli::sell

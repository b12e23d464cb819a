#include "cli/explain/backends.hpp"

#include "offer/reference_grant.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/list_all.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <set>

namespace portitor::cli::explain {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

backends_word answers(unsigned status, std::string why)
{
    return {status, std::move(why), true};
}

backends_word not_known(std::string why)
{
    return {0, std::move(why), false};
}

// Of a Service with that annotation Traefik asks the cluster's own balancer, and no EndpointSlice.
bool has_native_balancer(const kube::object& service)
{
    const json::object& all = kube::object_at(service.raw, "metadata.annotations");
    const json::value* said = all.if_contains("traefik.io/service.nativelb");
    return said && said->is_string() && said->get_string() == "true";
}

const json::object* find_port(const kube::object& service, std::int64_t port)
{
    for (const json::value& each : kube::array_at(service.spec(), "ports"))
    {
        if (kube::int_at(kube::as_object(each), "port") == port)
            return &kube::as_object(each);
    }
    return nullptr;
}

bool is_any_ready(const kube::object& slice, const std::string& port_name)
{
    const json::array& ports = kube::array_at(slice.raw, "ports");
    const json::array& endpoints = kube::array_at(slice.raw, "endpoints");
    return std::any_of(
               ports.begin(),
               ports.end(),
               [&](const json::value& each) {
                   return kube::string_at(kube::as_object(each), "name") == port_name;
               }
           ) &&
           std::any_of(endpoints.begin(), endpoints.end(), [](const json::value& each) {
               return kube::bool_at(kube::as_object(each), "conditions.ready") &&
                      !kube::array_at(kube::as_object(each), "addresses").empty();
           });
}

// One word for all backends: the gateway spreads requests over them.
backends_word sum_up(const std::vector<backends_word>& all)
{
    std::set<unsigned> said;
    std::vector<std::string> words;
    bool known = true;
    for (const backends_word& each : all)
    {
        said.insert(each.status);
        known = known && each.known;
        if (!each.words.empty())
            words.push_back(each.words);
    }
    const std::string why = fmt::format("{}", fmt::join(words, "; "));
    if (said.size() == 1)
        return {*said.begin(), why, known};
    return {0, "some of its backends do not answer: " + why, known};
}

}  // namespace

asio::awaitable<backends_word> backend_reader::look_behind(std::string ns, json::object rule)
{
    std::vector<backends_word> all;
    for (const json::value& each : kube::array_at(rule, "backendRefs"))
    {
        if (kube::int_at(kube::as_object(each), "weight", 1) > 0)
            all.push_back(co_await look_at(ns, kube::as_object(each)));
    }
    if (!all.empty())
        co_return sum_up(all);
    // The Gateway API says 500; Traefik's balancer of nothing has no available server.
    co_return answers(is_traefik_ ? 503 : 500, "the rule has no backend that takes requests");
}

asio::awaitable<backends_word> backend_reader::look_at(std::string ns, json::object backend)
{
    const std::string kind = kube::string_or(backend, "kind", "Service");
    const kube::object_key key{kube::string_or(backend, "namespace", ns), kube::string_at(backend, "name")};
    if (!kube::string_at(backend, "group").empty() || kind != "Service")
    {
        if (is_traefik_ && kind != "TraefikService")
            co_return answers(500, fmt::format("the gateway leads to no {}", kind));
        co_return not_known(fmt::format("{} {} is not looked at", kind, key.to_string()));
    }
    if (key.ns != ns)
    {
        backends_word refused = judge_grant(ns, key);
        if (refused.status != 0 || !refused.known)
            co_return refused;
    }
    const std::int64_t port = kube::int_at(backend, "port");
    const std::pair which{key, port};
    const auto had = services_.find(which);
    if (had != services_.end())
        co_return had->second;
    backends_word found = co_await look_at_service(key, port);
    services_.emplace(which, found);
    co_return found;
}

backends_word backend_reader::judge_grant(const std::string& from, const kube::object_key& service) const
{
    for (const auto& [key, grant] : grants_.objects)
    {
        if (key.ns == service.ns && offer::permits(*grant, from, service.name))
            return {};
    }
    if (!grants_.covers(service.ns))
        return not_known(fmt::format("whether it may lead to Service {} is not known", service.to_string()));
    return answers(
        500, fmt::format("no ReferenceGrant lets routes of {} lead to Service {}", from, service.to_string())
    );
}

asio::awaitable<backends_word> backend_reader::look_at_service(kube::object_key key, std::int64_t port)
{
    const auto found = co_await server_.get(api::service_resource, key);
    if (!found && !found.error().is_not_found())
        co_return not_known(
            fmt::format("Service {} cannot be read ({})", key.to_string(), found.error().message())
        );
    if (!found)
        co_return answers(500, fmt::format("Service {} is not there", key.to_string()));
    const kube::object& service = **found;
    if (is_traefik_ && kube::string_at(service.spec(), "type") == "ExternalName")
        co_return answers(
            500, fmt::format("Service {} is an ExternalName, which the gateway refuses", key.to_string())
        );
    const json::object* of_port = find_port(service, port);
    if (of_port == nullptr)
        co_return answers(500, fmt::format("Service {} has no port {}", key.to_string(), port));
    if (has_native_balancer(service))
        co_return backends_word{};
    co_return co_await look_at_slices(key, kube::string_at(*of_port, "name"));
}

asio::awaitable<backends_word> backend_reader::look_at_slices(kube::object_key key, std::string port_name)
{
    kube::selection which;
    which.ns = key.ns;
    which.labels = "kubernetes.io/service-name=" + key.name;
    const auto slices = co_await kube::list_objects(server_, api::endpoint_slice_resource, {which});
    if (!slices)
        co_return not_known(fmt::format(
            "EndpointSlices of Service {} cannot be read ({})", key.to_string(), slices.error().message()
        ));
    if (slices->empty())
        co_return answers(500, fmt::format("Service {} has no EndpointSlice", key.to_string()));
    for (const kube::object_ptr& each : *slices)
    {
        if (!each->unreadable.empty() || is_any_ready(*each, port_name))
            co_return backends_word{};
    }
    co_return answers(503, fmt::format("Service {} has no ready endpoint", key.to_string()));
}

}  // namespace portitor::cli::explain

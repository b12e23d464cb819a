#include "cli/doctor/verifier_pods.hpp"

#include "cli/doctor/looking.hpp"
#include "cli/doctor/side_by_side.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/core/deadline.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <cctype>
#include <map>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

// So many are asked, each twice: others ask the API server meanwhile.
constexpr std::size_t most_pods = 8;

/// What became of one question.
enum class reply
{
    none,     ///< not asked, or no answer
    given,    ///< by the pod
    refused,  ///< the API server does not pass questions on: the right is missing
};

/// One pod behind the Service, and what came of asking it.
struct pod
{
    std::string name;
    bool is_ready = false;
    std::int64_t gate_port = 0;
    std::int64_t health_port = 0;
    bool is_tls = false;
    reply gate = reply::none;
    reply health = reply::none;
    std::string why;  ///< in words, where the gate did not answer
};

/// The verifier's Service: as named, or as its URL says.
kube::object_key verifier_of(const config::gateway_options& settings)
{
    if (!settings.verifier_service.name.empty())
        return settings.verifier_service;
    const auto url = http::parse_url(settings.verifier_url);
    return url ? service_of(url->origin.host) : kube::object_key();
}

/// It becomes part of a path, and whoever writes EndpointSlices wrote it.
bool is_pod_name(std::string_view text)
{
    return !text.empty() && text.size() <= 253 && text.front() != '.' &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) {
               return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '-' || c == '.';
           });
}

/// The port of a slice that has this name; 0 where none has.
std::int64_t port_named(const kube::object& slice, std::string_view name)
{
    for (const json::value& each : kube::array_at(slice.raw, "ports"))
    {
        if (kube::string_at(kube::as_object(each), "name") == name)
            return kube::int_at(kube::as_object(each), "port");
    }
    return 0;
}

/// As the chart names it; a Service of somebody's own may have but one, without a name.
std::int64_t gate_port_of(const kube::object& slice)
{
    const json::array& ports = kube::array_at(slice.raw, "ports");
    return ports.size() == 1 ? kube::int_at(kube::as_object(ports.front()), "port")
                             : port_named(slice, "gate");
}

/// Endpoints by pod; those of no pod, and how many are ready.
struct endpoints
{
    std::map<std::string, pod> pods;
    std::size_t others = 0;
    std::size_t ready = 0;
};

endpoints read_endpoints(const std::vector<kube::object_ptr>& slices, bool is_tls)
{
    endpoints out;
    for (const kube::object_ptr& slice : slices)
    {
        for (const json::value& each : kube::array_at(slice->raw, "endpoints"))
        {
            const json::object& endpoint = kube::as_object(each);
            if (kube::bool_at(endpoint, "conditions.terminating"))
                continue;
            const bool is_ready = kube::bool_at(endpoint, "conditions.ready", true);
            out.ready += is_ready ? 1 : 0;
            const std::string name = kube::string_at(endpoint, "targetRef.name");
            if (kube::string_at(endpoint, "targetRef.kind") != "Pod" || !is_pod_name(name))
            {
                ++out.others;
                continue;
            }
            pod& into = out.pods[name];
            into.name = name;
            into.is_ready = into.is_ready || is_ready;
            into.gate_port = gate_port_of(*slice);
            into.health_port = port_named(*slice, "metrics");
            into.is_tls = is_tls;
        }
    }
    return out;
}

/// Asks a pod for a path by way of the API server's proxy. An answer of its own is one that bears the gate's
/// header, or 200; whatever else comes is the API server's.
asio::awaitable<reply>
ask_pod(const patient& of, std::string ns, std::string pod_and_port, std::string path, std::string& why)
{
    const auto answer = co_await unless(
        of.around.timers.sleep_for(of.limit),
        of.server.ask(
            http::verb::get, fmt::format("/api/v1/namespaces/{}/pods/{}/proxy{}", ns, pod_and_port, path)
        )
    );
    if (!answer)
        why = fmt::format("no answer within {} s", std::chrono::duration<double>(of.limit).count());
    else if (!*answer)
        why = answer->error().message();
    else if ((*answer)->result_int() == 200 || (*answer)->find("X-Portitor-Route") != (*answer)->end())
        co_return reply::given;
    else
    {
        const auto said = read_object((*answer)->body());
        why = fmt::format(
            "HTTP {}{}", (*answer)->result_int(), said ? " " + kube::string_at(*said, "message") : ""
        );
        if ((*answer)->result_int() == 403)
            co_return reply::refused;
    }
    co_return reply::none;
}

asio::awaitable<void> ask_gate(const patient& of, std::string ns, pod& about)
{
    // An address that belongs to no offer is refused at once.
    about.gate = co_await ask_pod(
        of,
        std::move(ns),
        fmt::format("{}{}:{}", about.is_tls ? "https:" : "", about.name, about.gate_port),
        "/verify",
        about.why
    );
}

asio::awaitable<void> ask_health(const patient& of, std::string ns, pod& about)
{
    std::string why;
    about.health = co_await ask_pod(
        of, std::move(ns), fmt::format("{}:{}", about.name, about.health_port), "/healthz", why
    );
}

asio::awaitable<void>
ask_all(const patient& of, const std::string& ns, std::vector<pod>& which, notebook& into)
{
    std::vector<part> parts;
    for (pod& each : which)
    {
        parts.emplace_back([&of, ns, &each](notebook&) { return ask_gate(of, ns, each); });
        if (each.health_port != 0)
            parts.emplace_back([&of, ns, &each](notebook&) { return ask_health(of, ns, each); });
    }
    co_await side_by_side(into, std::move(parts));
}

/// Judges what came of asking. A pod is silent for certain only where the API server reaches others like it.
void judge_answers(const std::string& ns, const std::vector<pod>& asked, notebook& into)
{
    const auto any = [&](reply pod::*port, reply what) {
        return std::any_of(asked.begin(), asked.end(), [&](const pod& each) { return each.*port == what; });
    };
    if (any(&pod::gate, reply::refused))
        return into.not_checked(
            "verifier pods",
            fmt::format("whether each answers: the right to get pods/proxy in {} is missing", ns)
        );
    const bool gates_reached = any(&pod::gate, reply::given);
    const bool reached = gates_reached || any(&pod::health, reply::given);
    std::vector<std::string> answering;
    for (const pod& each : asked)
    {
        const std::string check = fmt::format("Pod {}", each.name);
        const std::string look =
            fmt::format("kubectl -n {} logs {}; delete the pod where it hangs", ns, each.name);
        if (each.gate == reply::given)
            answering.push_back(each.name);
        else if (gates_reached || (reached && each.health == reply::none && each.health_port != 0))
            into.failure(
                check, fmt::format("it is ready, and does not answer ({}), as others do", each.why), look
            );
        else if (each.health == reply::given)
            into.not_checked(
                check,
                fmt::format("it is well on its health port; its gate does not answer here ({})", each.why),
                "a NetworkPolicy may keep the API server from it: the area gate asks by way of the gateway"
            );
        else
            into.warn(
                check,
                fmt::format("it is ready, and does not answer the API server ({})", each.why),
                "it hangs, or the API server does not reach pods here: the area gate tells which. " + look
            );
    }
    if (!answering.empty())
        into.ok(
            "verifier pods", fmt::format("{} answer: {}", answering.size(), some_of(answering, most_pods))
        );
}

asio::awaitable<void> look_at_pods(const patient& of, std::string ns, endpoints all, notebook& into)
{
    std::vector<std::string> unready;
    std::vector<pod> ready;
    for (const auto& [name, each] : all.pods)
    {
        if (!each.is_ready)
            unready.push_back(name);
        else if (each.gate_port != 0 && ready.size() < most_pods)
            ready.push_back(each);
    }
    if (!unready.empty())
        into.warn(
            "verifier pods",
            fmt::format("not ready: {}", some_of(unready, most_pods)),
            fmt::format("they are asked nothing while they are not: kubectl -n {} describe pod", ns)
        );
    co_await ask_all(of, ns, ready, into);
    judge_answers(ns, ready, into);
}

}  // namespace

asio::awaitable<void> look_at_verifier(const patient& of, notebook& into)
{
    const config::gateway_options& settings = of.settings.gateway;
    const kube::object_key service = verifier_of(settings);
    if (service.name.empty())
    {
        into.not_checked(
            "verifier",
            fmt::format("{} is no Service of this cluster", settings.verifier_url),
            "name it with verifier-service"
        );
        co_return;
    }
    const std::string check = fmt::format("Service {}", service.to_string());
    kube::selection slices_of;
    slices_of.ns = service.ns;
    slices_of.labels = "kubernetes.io/service-name=" + service.name;
    const auto slices = co_await list(of.server, api::endpoint_slice_resource, std::move(slices_of));
    if (!slices)
    {
        into.unseen(check, slices.error(), "list endpointslices in " + service.ns);
        co_return;
    }
    const auto url = http::parse_url(settings.verifier_url);
    const endpoints all = read_endpoints(*slices, url && url->origin.scheme == "https");
    if (all.ready == 0)
        into.failure(
            check,
            "it has no ready endpoint: every paid route answers with an error",
            fmt::format("kubectl -n {} get pods: is a verifier running, and ready?", service.ns)
        );
    else
        into.ok(check, fmt::format("ready endpoints: {}", all.ready));
    co_await look_at_pods(of, service.ns, all, into);
}

}  // namespace portitor::cli::doctor

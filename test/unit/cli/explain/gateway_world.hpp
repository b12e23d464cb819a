#pragma once

#include "../command_world.hpp"

#include <portitor/api/resources.hpp>

#include <initializer_list>
#include <string>
#include <vector>

/// A gateway, its routes and what is sold behind it, for tests of who explains requests.
namespace portitor::cli::explain::samples {

namespace json = boost::json;
using portitor::cli::samples::command_world;

/// A match of an HTTPRoute's rule, as JSON.
inline std::string prefix(const std::string& path, const std::string& more = {})
{
    return R"({"path":{"type":"PathPrefix","value":")" + path + R"("})" + more + "}";
}

/// A listener of a Gateway that lets routes of all namespaces in.
inline std::string
listener_of(const std::string& name, const std::string& protocol, int port, const std::string& more = {})
{
    return fmt::format(
        R"({{"name":"{}","protocol":"{}","port":{},"allowedRoutes":{{"namespaces":{{"from":"All"}}}}{}}})",
        name,
        protocol,
        port,
        more
    );
}

/// A cluster with one offer that is sold, the Gateway, and HTTPRoutes of a test's own.
struct gateway_world : command_world
{
    explicit gateway_world(const std::string& listeners = listener_of("web", "HTTP", 8000))
    {
        create(
            kube::resource{"gateway.networking.k8s.io", "v1", "gateways", "Gateway"},
            R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"Gateway","metadata":{"namespace":"traefik",)"
            R"("name":"traefik-gateway"},"spec":{"gatewayClassName":"traefik","listeners":[)" +
                listeners + "]}}"
        );
        create(
            api::service_resource,
            R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"},)"
            R"("spec":{"ports":[{"port":80}]}})"
        );
        create(
            api::endpoint_slice_resource,
            R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","metadata":{"namespace":"shop",)"
            R"("name":"web","labels":{"kubernetes.io/service-name":"web"}},"addressType":"IPv4",)"
            R"("ports":[{"name":"","port":80}],"endpoints":[{"addresses":["10.0.0.1"],)"
            R"("conditions":{"ready":true}}]})"
        );
        add_middleware("plain", R"({"headers":{}})");
        add_middleware("gate", gate_at("http://portitor-verifier.portitor.svc:8080/verify/shop/web"));
        add_middleware(
            "secretive", gate_at("http://portitor-verifier.portitor.svc:8080/verify/shop/web?token=t0ken")
        );
        add_middleware("strange", gate_at("http://elsewhere.example/verify/shop/web"));
        add_middleware("chain", R"({"chain":{"middlewares":[{"name":"plain"},{"name":"gate"}]}})");
        add_middleware("torn", R"({"chain":{"middlewares":[{"name":"gate"},{"name":"nobody"}]}})");
        add_middleware("ring", R"({"chain":{"middlewares":[{"name":"ring"}]}})");
    }

    static std::string gate_at(const std::string& address)
    {
        return R"({"forwardAuth":{"address":")" + address + "\"}}";
    }

    void add_middleware(const std::string& name, const std::string& spec)
    {
        create(
            api::middleware_resource,
            R"({"apiVersion":"traefik.io/v1alpha1","kind":"Middleware","metadata":{"namespace":"shop","name":")" +
                name + R"("},"spec":)" + spec + "}"
        );
    }

    /// Sells shop/web at /services/web for 0.01, with more fields of the PaymentRoute's spec.
    void sell(const std::string& more = {})
    {
        const auto offer = create(
            api::service_offer_resource,
            R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":"shop","name":"web"},)"
            R"("spec":{"upstream":{"service":"web","port":80},"payment":{"network":"base-sepolia",)"
            R"("payTo":"0x00000000000000000000000000000000000000AB","price":{"perRequest":"0.01"}}}})"
        );
        create(
            api::payment_route_resource,
            R"({"apiVersion":"obol.org/v1alpha1","kind":"PaymentRoute","metadata":{"namespace":"shop",)"
            R"("name":"web-payment","ownerReferences":[{"apiVersion":"obol.org/v1alpha1",)"
            R"("kind":"ServiceOffer","name":"web","controller":true,"uid":")" +
                offer->meta.uid +
                R"("}]},"spec":{"pattern":"/services/web/*","price":"10000","network":"eip155:84532",)"
                R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
                R"("facilitatorURL":"https://www.x402.org/facilitator","rules":[{"pattern":"/free","gate":"free"}],)"
                R"("payTo":"0x00000000000000000000000000000000000000AB")" +
                more + "}}"
        );
    }

    /// An HTTPRoute of namespace shop that the Gateway accepts, with one rule for a path; in place of one
    /// that has the name.
    void route(const std::string& name, const std::string& path, const std::string& rest)
    {
        static_cast<void>(server.storage().remove(sandbox::kind_id(api::http_route_resource), {"shop", name})
        );
        create(
            api::http_route_resource,
            R"({"apiVersion":"gateway.networking.k8s.io/v1","kind":"HTTPRoute","metadata":{"namespace":"shop",)"
            R"("name":")" +
                name + R"("},"spec":{"parentRefs":[{"name":"traefik-gateway","namespace":"traefik"}],)" +
                R"("rules":[{"matches":[)" + prefix(path) + "]" + (rest.empty() ? "" : ",") + rest + "}]}}"
        );
        report(
            api::http_route_resource,
            name,
            R"({"parents":[{"parentRef":{"name":"traefik-gateway","namespace":"traefik"},"controllerName":)"
            R"("traefik.io/gateway-controller","conditions":[{"type":"Accepted","status":"True",)"
            R"("reason":"Accepted","message":"","observedGeneration":1,)"
            R"("lastTransitionTime":"2026-01-01T00:00:00Z"}]}]})"
        );
    }

    json::object explain(const std::string& url, const std::vector<std::string>& more = {})
    {
        std::vector<std::string> words{"explain", url, "-o", "json"};
        words.insert(words.end(), more.begin(), more.end());
        const auto told = run(words);
        INFO(told.err);
        return json::parse(told.out).as_array().at(0).as_object();
    }

    /// "outcome status", and whether it passes unpaid.
    std::string verdict(const std::string& url, const std::vector<std::string>& more = {})
    {
        const json::object told = explain(url, more);
        return fmt::format(
            "{} {}{}",
            kube::string_at(told, "outcome"),
            kube::int_at(told, "status"),
            kube::bool_at(told, "unpaid") ? " unpaid" : ""
        );
    }
};

inline std::string through(std::initializer_list<const char*> middlewares, const std::string& more = {})
{
    std::vector<std::string> out;
    for (const char* each : middlewares)
        out.push_back(fmt::format(
            R"({{"type":"ExtensionRef","extensionRef":{{"group":"traefik.io","kind":"Middleware","name":"{}"}}}})",
            each
        ));
    if (!more.empty())
        out.push_back(more);
    return fmt::format(R"("filters":[{}])", fmt::join(out, ","));
}

inline std::string to(const std::string& service, int port = 80)
{
    return fmt::format(R"("backendRefs":[{{"name":"{}","port":{}}}])", service, port);
}

inline const std::string redirect =
    R"({"type":"RequestRedirect","requestRedirect":{"scheme":"https","statusCode":301}})";

}  // namespace portitor::cli::explain::samples

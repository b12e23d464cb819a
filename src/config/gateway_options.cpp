#include <portitor/config/common_options.hpp>
#include <portitor/config/gateway_options.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::config {

void gateway_options::declare(loader& into)
{
    into.add(namespace_option(ns));
    declare_gateway(into);
}

void gateway_options::declare_gateway(loader& into)
{
    const headed options = into.under("Gateway");
    options.add(
        {"gateway",
         "NAMESPACE/NAME of the Gateway that publishes the routes",
         "traefik/traefik-gateway",
         set_key(gateway)}
    );
    options.add({"gateway-section", "listener of that Gateway; empty for all", "", set_text(section)});
    options.add(
        {"gateway-controller",
         "controller of the gateway, whose word on a route counts",
         "traefik.io/gateway-controller",
         set_text(controller)}
    );
    options.add(
        {"verifier-url",
         "where the gateway reaches the verifier; empty: the Service portitor-verifier in --namespace, port "
         "8080",
         "",
         set_url(verifier_url)}
    );
    options.add(
        {"verifier-service",
         "NAMESPACE/NAME of the verifier's Service; named, an offer is ready only while it has a ready "
         "endpoint",
         "",
         set_key(verifier_service)}
    );
    options.add(
        {"gateway-url",
         "controller: the gateway from inside the cluster, to prove that it refuses unpaid requests",
         "",
         set_url(gateway_url)}
    );
    options.add(
        {"public-url",
         "where buyers reach the gateway, such as https://api.example.com",
         "",
         set_url(public_url)}
    );
    hosts.declare(into);
    options.add(
        {"cors-origins",
         "* or origins, separated by spaces, whose pages may pay and read answers; the gateway answers their "
         "preflight requests itself",
         "",
         set_origins(cors_origins)}
    );
}

result<void> gateway_options::resolve()
{
    if (verifier_url.empty())
        verifier_url = fmt::format("http://portitor-verifier.{}.svc:8080", ns);
    return hosts.check(public_url);
}

}  // namespace portitor::config

#pragma once

#include "../api/objects.hpp"
#include "../x402/samples.hpp"
#include "route/credentials.hpp"
#include "route/served_route.hpp"

#include <set>
#include <string>

/// PaymentRoutes as the controller makes them.
namespace portitor::route::samples {

inline const std::string facilitator_url = "https://f.example";
inline const std::string top = "/services/hello";

/// The PaymentRoute of the offer shop/hello, as the controller makes it.
inline kube::object_ptr route_object()
{
    return test::object_from(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "PaymentRoute",
        "metadata": {"name": "hello-payment", "namespace": "shop", "generation": 1, "ownerReferences": [
            {"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello", "uid": "u1", "controller": true}
        ]},
        "spec": {
            "pattern": "/services/hello/*", "price": "10000", "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "network": "eip155:84532",
            "facilitatorURL": "https://f.example", "priceModel": "per-request", "description": "says hello",
            "maxTimeoutSeconds": 60, "publicURL": "https://api.example.com/services/hello",
            "rules": [
                {"pattern": "/free/*", "gate": "free"},
                {"pattern": "/free/not", "gate": "paid", "price": "20000", "priceModel": "per-request"},
                {"pattern": "/report", "gate": "paid", "price": "50000", "priceModel": "per-request"}
            ]
        }
    })");
}

/// The same of another offer, with its own path.
inline kube::object_ptr route_of(std::string_view ns, std::string_view offer, std::string_view pattern)
{
    auto out = test::changed(route_object(), "/metadata/namespace", fmt::format("\"{}\"", ns));
    out = test::changed(out, "/metadata/name", fmt::format("\"{}-payment\"", offer));
    out = test::changed(
        out,
        "/metadata/ownerReferences",
        fmt::format(
            R"([{{"apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "{}", "uid": "u", "controller": true}}])",
            offer
        )
    );
    return test::changed(out, "/spec/pattern", fmt::format("\"{}\"", pattern));
}

inline result<route_ptr> compile(const kube::object_ptr& object)
{
    static const std::set<std::string> urls{facilitator_url, "https://other.example/x402"};
    static const credential_store none{{}};
    return served_route::compile(*object, {x402::samples::networks(), urls, none});
}

}  // namespace portitor::route::samples

#pragma once

#include "../api/objects.hpp"
#include "../x402/samples.hpp"
#include "roles/verifier/route_table.hpp"

#include <set>
#include <string>

/// A PaymentRoute as the controller makes it, for tests to spoil.
namespace portitor::verifier::samples {

inline const std::string facilitator_url = "https://facilitator.example.com";

inline kube::object_ptr route_object()
{
    return test::object_from(R"({
        "apiVersion": "obol.org/v1alpha1", "kind": "PaymentRoute",
        "metadata": {
            "name": "hello-payment", "namespace": "sellers", "uid": "u1", "generation": 1,
            "ownerReferences": [{
                "apiVersion": "obol.org/v1alpha1", "kind": "ServiceOffer", "name": "hello", "uid": "u0",
                "controller": true}]},
        "spec": {
            "pattern": "/services/hello/*", "price": "10000",
            "asset": "0x036CbD53842c5426634e7929541eC2318f3dCF7e",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C",
            "network": "eip155:84532", "facilitatorURL": "https://facilitator.example.com",
            "priceModel": "per-request", "maxTimeoutSeconds": 60,
            "rules": [
                {"pattern": "/free/*", "gate": "free"},
                {"pattern": "/free/dear", "gate": "paid", "price": "50000"},
                {"pattern": "/users/*/export", "gate": "paid", "price": "20000"}]}})");
}

inline result<route_ptr> compile(const kube::object_ptr& object)
{
    static const std::set<std::string> urls{facilitator_url};
    return served_route::compile(*object, {x402::samples::networks(), urls});
}

}  // namespace portitor::verifier::samples

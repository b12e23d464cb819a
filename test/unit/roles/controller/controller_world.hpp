#pragma once

#include "../role_world.hpp"
#include "roles/controller/controller.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/resources.hpp>

/// A controller on an API server in memory, and offers for it.
namespace portitor::roles::samples {

using api::http_route_resource;
using api::middleware_resource;
using api::payment_route_resource;
using api::service_offer_resource;

inline std::string offer_text(const std::string& name, const std::string& network = "base-sepolia")
{
    return R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer",)"
           R"("metadata":{"namespace":"shop","name":")" +
           name +
           R"("},"spec":{"upstream":{"service":"web","port":8080,"healthPath":"/health"},"payment":{"network":")" +
           network +
           R"(","payTo":"0x00000000000000000000000000000000000000AB","price":{"perRequest":"0.01"}}}})";
}

/// What the controller makes for an offer with that uid.
inline std::string
request_text(const std::string& offer, const std::string& uid, const std::string& more_spec = "")
{
    return R"({"apiVersion":"obol.org/v1alpha1","kind":"RegistrationRequest","metadata":{"namespace":"shop","name":")" +
           api::registration_name(offer) +
           R"(","finalizers":["obol.org/portitor"],"ownerReferences":[{"apiVersion":"obol.org/v1alpha1",)"
           R"("kind":"ServiceOffer","name":")" +
           offer + R"(","uid":")" + uid + R"(","controller":true}]},"spec":{"name":"x",)" + more_spec +
           R"("chain":"base-sepolia","registry":"0x8004A818BFB912233c491871b3d84c89A494BD9e",)"
           R"("agentURI":"https://a.example/u.json"}})";
}

struct controller_world : role_world
{
    controller::options options = config::defaults<controller::options>();

    controller_world() { options.listen.clear(); }

    void start()
    {
        role_world::start([&](const process& around) { return make_controller(around, options); });
    }

    bool has_children(const std::string& offer) const
    {
        return exists(middleware_resource, api::middleware_name(offer)) &&
               exists(http_route_resource, api::http_route_name(offer)) &&
               exists(payment_route_resource, api::payment_route_name(offer));
    }
    bool has_any_child(const std::string& offer) const
    {
        return exists(middleware_resource, api::middleware_name(offer)) ||
               exists(http_route_resource, api::http_route_name(offer)) ||
               exists(payment_route_resource, api::payment_route_name(offer));
    }
    std::string said(const std::string& offer, const std::string& type) const
    {
        return condition(service_offer_resource, offer, type);
    }
    /// There is a status about the present generation.
    bool is_judged(const std::string& offer) const
    {
        const auto of = live(service_offer_resource, offer);
        return of && kube::int_at(of->raw, "status.observedGeneration") == of->meta.generation;
    }
    bool converged(const std::string& offer) const { return has_children(offer) && is_judged(offer); }

    /// The gateway's controller and the verifier are content.
    void publish(const std::string& offer)
    {
        const std::string route = api::http_route_name(offer);
        const auto generation = std::to_string(live(http_route_resource, route)->meta.generation);
        const auto accepted = [&](const std::string& type) {
            return R"({"type":")" + type + R"(","status":"True","reason":")" + type +
                   R"(","message":"","observedGeneration":)" + generation + "}";
        };
        report(
            http_route_resource,
            route,
            R"({"parents":[{"parentRef":{"namespace":"traefik","name":"traefik-gateway"},"controllerName":)"
            R"("traefik.io/gateway-controller","conditions":[)" +
                accepted("Accepted") + "," + accepted("ResolvedRefs") + "]}]}"
        );
        const std::string payment = api::payment_route_name(offer);
        const auto admitted = std::to_string(live(payment_route_resource, payment)->meta.generation);
        report(
            payment_route_resource,
            payment,
            R"({"admitted":true,"lastAdmittedGeneration":)" + admitted +
                R"(,"conditions":[{"type":"Admitted","status":"True","reason":"Served","message":"","observedGeneration":)" +
                admitted + "}]}"
        );
    }
};

}  // namespace portitor::roles::samples

#pragma once

#include "offer/plan_settings.hpp"

#include <portitor/kube/object.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::offer {

/// Whether the gateway is Traefik, which the names below are about.
bool is_of_traefik(const plan_settings& settings);

/// By what names Traefik knows Services and Middlewares: it joins namespace and name with a dash, so
/// "a-hello" of team and "hello" of team-a are one to it, and every route of either leads to whichever it
/// read last.
std::string gateway_name_of_service(const kube::object_key& service, std::int64_t port);
std::string gateway_name_of_middleware(const kube::object_key& middleware);

/// Whether Traefik finds a Middleware: it looks for it by the name as it is, among names that it has
/// normalised. Points, and dashes side by side, also in the namespace's name, are what it does not find
/// again.
bool is_found_by_gateway(const kube::object_key& middleware);

/// A Service that an HTTPRoute leads to.
struct route_backend
{
    kube::object_key service;
    std::int64_t port = 0;

    bool operator==(const route_backend&) const = default;
    std::string gateway_name() const { return gateway_name_of_service(service, port); }
};

std::vector<route_backend> backends_of(const kube::object& route);

/// For indexes: the name, and whose it is. All that have a name begin with named_so().
std::string named(const std::string& gateway_name, const kube::object_key& whose);
std::string named_so(const std::string& gateway_name);
kube::object_key whose(std::string_view named);

}  // namespace portitor::offer

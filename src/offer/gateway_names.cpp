#include "offer/gateway_names.hpp"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace portitor::offer {

namespace json = boost::json;

namespace {

bool is_kept(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// Whatever stands between letters and digits is one dash.
std::string normalized(std::string_view text)
{
    std::string out;
    for (const char c : text)
    {
        if (is_kept(c))
            out += c;
        else if (!out.empty() && !out.ends_with('-'))
            out += '-';
    }
    if (out.ends_with('-'))
        out.pop_back();
    return out;
}

}  // namespace

bool is_of_traefik(const plan_settings& settings)
{
    return settings.gateway.controller.starts_with("traefik.io/");
}

std::string gateway_name_of_service(const kube::object_key& service, std::int64_t port)
{
    return normalized(fmt::format("{}-{}-http-{}", service.ns, service.name, port));
}

std::string gateway_name_of_middleware(const kube::object_key& middleware)
{
    return normalized(fmt::format("{}-{}", middleware.ns, middleware.name));
}

bool is_found_by_gateway(const kube::object_key& middleware)
{
    return gateway_name_of_middleware(middleware) == fmt::format("{}-{}", middleware.ns, middleware.name);
}

std::vector<route_backend> backends_of(const kube::object& route)
{
    std::vector<route_backend> out;
    for (const json::value& rule : kube::array_at(route.spec(), "rules"))
    {
        for (const json::value& each : kube::array_at(kube::as_object(rule), "backendRefs"))
        {
            const json::object& backend = kube::as_object(each);
            if (!kube::string_at(backend, "group").empty() ||
                kube::string_or(backend, "kind", "Service") != "Service")
                continue;
            out.push_back(
                {{kube::string_or(backend, "namespace", route.meta.ns), kube::string_at(backend, "name")},
                 kube::int_at(backend, "port")}
            );
        }
    }
    return out;
}

std::string named(const std::string& gateway_name, const kube::object_key& whose)
{
    return named_so(gateway_name) + whose.to_string();
}

kube::object_key whose(std::string_view named)
{
    const std::string_view key = named.substr(named.find('=') + 1);
    const auto slash = key.find('/');
    return {std::string(key.substr(0, slash)), std::string(key.substr(slash + 1))};
}

std::string named_so(const std::string& gateway_name)
{
    return gateway_name + "=";
}

}  // namespace portitor::offer

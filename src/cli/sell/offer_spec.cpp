#include "cli/output/text.hpp"
#include "cli/sell/offer_flags.hpp"
#include "cli/sell/payment_spec.hpp"
#include "cli/sell/route_text.hpp"
#include "cli/sell/spec_fields.hpp"
#include "cli/sell/upstream_text.hpp"

#include <boost/json/array.hpp>

// What the flags make of an offer's spec.

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

constexpr int default_port = 8080;
constexpr int default_inference_port = 11434;

result<void> fill_upstream(const offer_flags& of, json::object& upstream)
{
    upstream_place named;
    if (!of.upstream.empty())
    {
        auto read = read_upstream(of.upstream);
        if (!read)
            return read.error().within("--upstream");
        named = std::move(*read);
        upstream["service"] = named.service;
    }
    else if (!upstream.contains("service"))
        return fail(errc::invalid, "--upstream SERVICE is missing: the Service that answers the requests");
    if (!named.ns.empty() && !of.upstream_ns.empty() && named.ns != of.upstream_ns)
        return fail(
            errc::invalid,
            "--upstream names namespace {}, and --upstream-namespace {}: write one of them",
            named.ns,
            printable(of.upstream_ns, 100)
        );
    put(upstream, "namespace", named.ns);
    put(upstream, "namespace", of.upstream_ns);
    std::int64_t port = named.port;
    if (!of.port.empty())
    {
        const auto read = read_number(of.port, 65535, "--port");
        if (!read)
            return read.error();
        if (port != 0 && port != *read)
            return fail(
                errc::invalid, "--upstream names port {}, and --port {}: write one of them", port, *read
            );
        port = *read;
    }
    if (port != 0)
        upstream["port"] = port;
    else if (!upstream.contains("port"))
        upstream["port"] = of.type == api::offer_type::inference ? default_inference_port : default_port;
    put(upstream, "healthPath", of.health_path);
    put(upstream, "credential", of.credential);
    return {};
}

result<void> fill_model(const offer_flags& of, json::object& spec)
{
    if (of.type != api::offer_type::inference)
        return {};
    json::object& model = child(spec, "model");
    put(model, "name", of.model);
    put(model, "runtime", of.runtime);
    if (!model.contains("name"))
        return fail(
            errc::invalid, "--model MODEL is missing: the name of the model that the upstream serves"
        );
    return {};
}

result<void> fill_routes(const offer_flags& of, json::object& spec)
{
    if (of.routes.empty())
        return {};
    json::array routes;
    for (const std::string& each : of.routes)
    {
        auto read = read_route(each);
        if (!read)
            return read.error().within("--route");
        routes.push_back(std::move(*read));
    }
    spec["routes"] = std::move(routes);
    return {};
}

result<void> fill_registration(const offer_flags& of, json::object& spec)
{
    if (of.wants_registration && of.no_registration)
        return fail(errc::invalid, "--register and --no-register are given: give one of them");
    if (!of.description.empty() && !of.registration.description.empty())
        return fail(errc::invalid, "--description and --register-description are the same: give one of them");
    if (!of.description.empty())
        child(spec, "registration")["description"] = of.description;
    if (!of.registration.empty() && !of.wants_registration)
        return fail(errc::invalid, "--register-… says how the offer is registered: give --register too");
    if (of.no_registration && spec.contains("registration"))
        child(spec, "registration")["enabled"] = false;
    if (!of.wants_registration)
        return {};
    child(spec, "registration")["enabled"] = true;
    return of.registration.fill(child(spec, "registration"), "--register-");
}

}  // namespace

result<json::object> offer_flags::make_spec(json::object base) const
{
    json::object spec = std::move(base);
    spec["type"] = type == api::offer_type::inference ? "inference" : "http";
    auto filled = fill_model(*this, spec);
    if (filled)
        filled = fill_upstream(*this, child(spec, "upstream"));
    if (filled)
        filled = fill_payment(*this, child(spec, "payment"));
    if (filled)
        filled = fill_routes(*this, spec);
    if (filled)
        filled = fill_registration(*this, spec);
    if (!filled)
        return filled.error();
    put(spec, "path", path);
    put(spec, "hostname", hostname);
    return spec;
}

}  // namespace portitor::cli::sell

#include "cli/output/text.hpp"
#include "cli/sell/checked_address.hpp"
#include "cli/sell/offer_flags.hpp"
#include "cli/sell/route_text.hpp"
#include "cli/sell/upstream_text.hpp"

#include <boost/algorithm/string/split.hpp>
#include <boost/json/array.hpp>

#include <algorithm>
#include <charconv>
#include <cstdlib>

// What the flags make of an offer's spec.

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

constexpr int default_port = 8080;
constexpr int default_inference_port = 11434;
constexpr const char* default_network = "base-sepolia";
constexpr const char* default_inference_price = "0.001";

/// The object of that name, made where there is none.
json::object& child(json::object& of, std::string_view name)
{
    json::value& out = of[name];
    if (!out.is_object())
        out = json::object();
    return out.get_object();
}

void put(json::object& into, std::string_view name, const std::string& given)
{
    if (!given.empty())
        into[name] = given;
}

result<std::int64_t> read_number(const std::string& given, std::int64_t most, const char* flag)
{
    std::int64_t out = 0;
    const auto [end, failed] = std::from_chars(given.data(), given.data() + given.size(), out);
    if (failed != std::errc() || end != given.data() + given.size() || out < 1 || out > most)
        return fail(errc::invalid, "{}: \"{}\" is no number from 1 to {}", flag, printable(given, 100), most);
    return out;
}

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

result<void> fill_price(const offer_flags& of, json::object& payment)
{
    const bool given = !of.price.empty() || !of.per_mtok.empty() || !of.per_hour.empty();
    if (given)
    {
        // Prices that were there before would go before this one, or stand beside it.
        json::object price;
        put(price, "perRequest", of.price);
        put(price, "perMTok", of.per_mtok);
        put(price, "perHour", of.per_hour);
        payment["price"] = std::move(price);
        return {};
    }
    if (payment.contains("price"))
        return {};
    if (of.type != api::offer_type::inference)
        return fail(
            errc::invalid,
            "--price AMOUNT is missing: what one request costs, such as --price 0.001 (or "
            "--per-mtok, --per-hour)"
        );
    payment["price"] = json::object{{"perRequest", default_inference_price}};
    return {};
}

result<void> fill_pay_to(const offer_flags& of, json::object& payment)
{
    const char* from = of.pay_to.empty() ? "X402_WALLET" : "--pay-to";
    std::string address = of.pay_to;
    if (address.empty() && !payment.contains("payTo"))
    {
        const char* wallet = std::getenv("X402_WALLET");
        address = wallet ? wallet : "";
        if (address.empty())
            return fail(
                errc::invalid,
                "--pay-to 0x… is missing: the address that is paid; or set X402_WALLET in the environment"
            );
    }
    if (address.empty())
        return {};
    auto checked = checked_address(address);
    if (!checked)
        return checked.error().within(from);
    payment["payTo"] = *checked;
    return {};
}

result<void> fill_asset(const offer_flags& of, json::object& payment)
{
    if (of.obol_token && !of.asset.empty())
        return fail(errc::invalid, "--obol-token is --token OBOL: give one of them");
    const std::string asset = of.obol_token ? "OBOL" : of.asset;
    if (asset.empty())
        return {};
    if (!asset.starts_with("0x"))
    {
        payment["asset"] = json::object{{"symbol", asset}};
        return {};
    }
    auto checked = checked_address(asset);
    if (!checked)
        return checked.error().within("--token");
    payment["asset"] = json::object{{"address", *checked}};
    return {};
}

result<void> fill_payment(const offer_flags& of, json::object& payment)
{
    put(payment, "network", of.network);
    if (!payment.contains("network"))
        payment["network"] = default_network;
    put(payment, "facilitator", of.facilitator);
    if (!of.max_timeout.empty())
    {
        const auto read = read_number(of.max_timeout, 86400, "--max-timeout");
        if (!read)
            return read.error();
        payment["maxTimeoutSeconds"] = *read;
    }
    for (const auto& fill : {fill_price, fill_pay_to, fill_asset})
    {
        auto filled = fill(of, payment);
        if (!filled)
            return filled;
    }
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

json::array split(const std::vector<std::string>& lists)
{
    json::array out;
    for (const std::string& each : lists)
    {
        std::vector<std::string> parts;
        boost::algorithm::split(parts, each, [](char c) { return c == ','; });
        for (const std::string& part : parts)
        {
            if (!part.empty())
                out.emplace_back(part);
        }
    }
    return out;
}

}  // namespace

result<void> registration_flags::fill(json::object& registration, const std::string& prefix) const
{
    put(registration, "chain", chain);
    put(registration, "name", name);
    put(registration, "description", description);
    put(registration, "image", image);
    if (!skills.empty())
        registration["skills"] = split(skills);
    if (!domains.empty())
        registration["domains"] = split(domains);
    for (const std::string& each : metadata)
    {
        const std::size_t sign = each.find('=');
        if (sign == 0 || sign == each.npos)
            return fail(errc::invalid, "{}metadata: \"{}\" is not KEY=VALUE", prefix, printable(each, 200));
        child(registration, "metadata")[each.substr(0, sign)] = each.substr(sign + 1);
    }
    return {};
}

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

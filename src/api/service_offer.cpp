#include "api/fields.hpp"
#include "api/pattern_list.hpp"

#include <portitor/api/service_offer.hpp>

#include <algorithm>
#include <limits>

namespace portitor::api {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_path = 512;
constexpr std::size_t longest_price = 64;
constexpr std::size_t longest_text = 512;
constexpr std::size_t longest_url = 2048;
constexpr std::int64_t longest_timeout = 86400;

std::optional<std::string> optional_text(const fields& in, std::string_view key)
{
    return in.has(key) ? std::optional(in.text(key, longest_price)) : std::nullopt;
}

std::optional<price> read_price(const fields& in)
{
    const auto written = in.object("price");
    if (!written)
        return std::nullopt;
    const auto amount = [&](price_model model) { return optional_text(*written, field_of(model)); };
    price out{amount(price_model::per_request), amount(price_model::per_mtok), amount(price_model::per_hour)};
    if (out.empty())
        in.refuse("price", "given as perRequest, perMTok or perHour, such as perRequest: \"0.01\"");
    return out;
}

// A name with points says its namespace itself; the one beside it may only say the same, or be the offer's
// own, which is written where nobody thought of it.
void read_service(const fields& upstream, const std::string& own_namespace, service_offer::upstream_spec& out)
{
    const std::string text = upstream.required_text("service", 253);
    out.ns = upstream.text("namespace", 63, name_rule);
    if (out.ns.empty())
        out.ns = own_namespace;
    if (text.empty())
        return;
    const auto named = parse_service_name(text);
    if (!named)
        return upstream.refuse("service", named.error().message());
    out.service = named->name;
    if (named->ns.empty() || named->ns == out.ns)
        return;
    if (out.ns != own_namespace)
        upstream.refuse("namespace", fmt::format("{}, as service says; or leave one of them out", named->ns));
    out.ns = named->ns;
}

service_offer::upstream_spec read_upstream(const fields& spec, const std::string& own_namespace)
{
    service_offer::upstream_spec out;
    const auto in = spec.object("upstream");
    if (!in)
    {
        spec.refuse("upstream", "given: the Service that answers the requests, with its port");
        return out;
    }
    read_service(*in, own_namespace, out);
    out.port = static_cast<std::uint16_t>(in->integer("port", 1, 65535, 11434));
    out.health_path = in->text("healthPath", longest_path, "/health");
    if (out.health_path.empty())
        out.health_path = "/";
    const bool printable = std::all_of(out.health_path.begin(), out.health_path.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '#' && c != '\\';
    });
    if (!out.health_path.starts_with('/') || !printable)
        in->refuse(
            "healthPath",
            "a path that starts with \"/\" and holds no spaces, \"#\" and backslashes, such as /health"
        );
    out.credential = in->text("credential", 63, name_rule);
    return out;
}

std::optional<asset> read_asset(const fields& payment)
{
    const auto in = payment.object("asset");
    if (!in)
        return std::nullopt;
    asset out;
    out.address = in->text("address", 42, used_address_rule);
    out.symbol = in->text("symbol", 32);
    if (in->has("decimals"))
        out.decimals = in->integer("decimals", 0, 255, 0);
    if (in->has("transferMethod"))
        out.transfer_method =
            in->one_of("transferMethod", {"eip3009", "permit2"}) == 0 ? "eip3009" : "permit2";
    out.eip712_name = in->text("eip712Name", 128);
    out.eip712_version = in->text("eip712Version", 32);
    if (out.address.empty() && out.symbol.empty())
        payment.refuse("asset", "named by its address or its symbol");
    return out;
}

service_offer::payment_spec read_payment(const fields& spec)
{
    service_offer::payment_spec out;
    const auto in = spec.object("payment");
    if (!in)
    {
        spec.refuse("payment", "given, with network, payTo and price");
        return out;
    }
    in->one_of("scheme", {"exact"});
    out.network = in->required_text("network", 64, network_rule);
    out.pay_to = in->required_text("payTo", 64, used_address_rule);
    out.max_timeout_seconds = in->integer("maxTimeoutSeconds", 1, longest_timeout, 300);
    if (auto written = read_price(*in))
        out.price = std::move(*written);
    else
        in->refuse("price", "given as perRequest, perMTok or perHour, such as perRequest: \"0.01\"");
    out.asset = read_asset(*in);
    out.facilitator = in->text("facilitator", 63, name_rule);
    if (in->one_of("settlement", {"beforeResponse", "afterResponse"}) == 1)
        out.settlement = settlement::after_response;
    return out;
}

traffic_limits read_limits(const fields& spec)
{
    const auto in = spec.object("limits");
    if (!in)
        return {};
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    return {in->integer("maxInFlight", 0, most, 0), in->integer("rps", 0, most, 0)};
}

std::vector<offer_route> read_routes(const fields& spec)
{
    std::vector<offer_route> out;
    pattern_list patterns;
    for (const fields& in : spec.objects("routes", 128))
    {
        offer_route route;
        route.path = patterns.read(in, "path");
        if (in.one_of("gate", {"paid", "free"}) == 1)
            route.access = gate::free;
        route.own_price = read_price(in);
        if (route.own_price && route.access == gate::free)
            in.refuse("price", "left out of a free route: write gate: paid, or no price");
        route.methods = read_methods(in);
        out.push_back(std::move(route));
    }
    return out;
}

std::optional<secret_key_ref> read_secret(const fields& in)
{
    const auto secret = in.object("privateKeySecret");
    if (!secret)
        return std::nullopt;
    return secret_key_ref{secret->required_text("name", 253), secret->text("key", 253, "keystore.json")};
}

// What is wrong here keeps nobody from buying.
registration read_registration(const json::object& spec)
{
    registration out;
    std::optional<error> wrong;
    const auto in = fields(spec, "spec", wrong).object("registration");
    if (!in)
    {
        out.unreadable = wrong ? wrong->message() : "";
        return out;
    }
    out.enabled = in->boolean("enabled", false);
    out.chain = in->text("chain", 64, network_rule);
    out.name = in->text("name", 128);
    out.description = in->text("description", 1024);
    out.image = in->text("image", longest_url);
    for (const fields& each : in->objects("services", 32))
        out.services.push_back({
            each.required_text("name", 64),
            each.required_text("endpoint", longest_url),
            each.text("version", 64),
        });
    out.supported_trust = in->texts("supportedTrust", 16, 64);
    out.skills = in->texts("skills", 64, 128);
    out.domains = in->texts("domains", 64, 128);
    out.metadata = in->text_map("metadata", 32, longest_text);
    out.private_key_secret = read_secret(*in);
    out.agent_id = in->text("agentId", 78, agent_id_rule);
    out.unreadable = wrong ? wrong->message() : "";
    return out;
}

// Durations as Go writes them, in whole hours, minutes and seconds: "90m", "1h30m".
std::optional<std::chrono::seconds> read_duration(std::string_view text)
{
    std::chrono::seconds out{0};
    while (!text.empty())
    {
        const auto unit = text.find_first_not_of("0123456789");
        if (unit == 0 || unit == text.npos || unit > 5)
            return std::nullopt;
        const int count = std::stoi(std::string(text.substr(0, unit)));
        if (text[unit] == 'h')
            out += std::chrono::hours(count);
        else if (text[unit] == 'm')
            out += std::chrono::minutes(count);
        else if (text[unit] == 's')
            out += std::chrono::seconds(count);
        else
            return std::nullopt;
        text.remove_prefix(unit + 1);
    }
    return out;
}

// Dates outside of these say something else: "no date" and "never". Far from the ends of the clock too.
constexpr std::chrono::sys_days earliest_drain = std::chrono::year(1970) / 1 / 1;
constexpr std::chrono::sys_days latest_drain = std::chrono::year(2200) / 1 / 1;  // not itself
constexpr std::chrono::hours longest_grace(87600);
constexpr std::size_t longest_grace_text = 32;

void read_drain(const fields& spec, service_offer& out)
{
    if (spec.has("drainAt"))
    {
        out.drain_at = parse_rfc3339(spec.text("drainAt", 64));
        if (!out.drain_at)
            spec.refuse("drainAt", "a time as in RFC 3339, such as 2026-12-31T18:00:00Z");
        else if (*out.drain_at < earliest_drain || *out.drain_at >= latest_drain)
            spec.refuse("drainAt", "a time from 1970 to 2199; leave it out for an offer that has no end");
    }
    out.drain_grace = default_grace_period;
    const std::string grace = spec.text("drainGracePeriod", longest_grace_text);
    if (grace.empty())
        return;
    const auto read = parse_grace_period(grace);
    if (read)
        out.drain_grace = *read;
    else
        spec.refuse("drainGracePeriod", read.error().message());
}

}  // namespace

result<std::chrono::seconds> parse_grace_period(std::string_view text)
{
    const auto read = text.empty() || text.size() > longest_grace_text ? std::nullopt : read_duration(text);
    if (!read)
        return fail(errc::invalid, "a duration such as 90m or 1h30m, in whole hours, minutes and seconds");
    if (*read > longest_grace)
        return fail(errc::invalid, "at most 87600h, which is ten years");
    return *read;
}

const char* to_string(price_model value) noexcept
{
    switch (value)
    {
    case price_model::per_mtok:
        return "per-mtok";
    case price_model::per_hour:
        return "per-hour";
    default:
        return "per-request";
    }
}

const char* field_of(price_model value) noexcept
{
    switch (value)
    {
    case price_model::per_mtok:
        return "perMTok";
    case price_model::per_hour:
        return "perHour";
    default:
        return "perRequest";
    }
}

const char* to_string(gate value) noexcept
{
    return value == gate::free ? "free" : "paid";
}

const char* to_string(settlement value) noexcept
{
    return value == settlement::after_response ? "afterResponse" : "beforeResponse";
}

result<service_name> parse_service_name(std::string_view text)
{
    const auto point = text.find('.');
    service_name out{std::string(text.substr(0, point)), {}};
    std::string_view rest = point == text.npos ? "" : text.substr(point + 1);
    for (const std::string_view end : {".svc.cluster.local", ".svc"})
    {
        if (rest.ends_with(end))
        {
            rest.remove_suffix(end.size());
            break;
        }
    }
    out.ns = rest;
    if (is_name(out.name) && (point == text.npos || is_name(out.ns)))
        return out;
    if (is_hostname(text))
        return fail(
            errc::invalid,
            "the name of a Service, such as hello or hello.alice.svc.cluster.local; {} is a host outside of "
            "the cluster, which is sold by way of a Service of yours that leads there",
            text
        );
    return fail(
        errc::invalid,
        "the name of a Service: lower-case letters, digits and dashes, a letter or digit first and last; or "
        "its name within the cluster, such as hello.alice.svc.cluster.local; it is \"{}\"",
        text
    );
}

result<service_offer> parse_service_offer(const kube::object& offer)
{
    if (!offer.unreadable.empty())
        return fail(errc::invalid, "the object cannot be read: {}", offer.unreadable);
    std::optional<error> wrong;
    const fields spec(offer.spec(), "spec", wrong);

    service_offer out;
    out.meta = static_cast<const kube::object_identity&>(offer.meta);
    if (spec.one_of("type", {"http", "inference"}) == 1)
        out.type = offer_type::inference;
    if (const auto model = spec.object("model"))
        out.model = service_offer::model_spec{model->text("name", 253), model->text("runtime", 32)};
    out.upstream = read_upstream(spec, offer.meta.ns);
    out.payment = read_payment(spec);
    out.hostname = spec.text("hostname", 253, hostname_rule);
    out.path = spec.text("path", longest_path, offer_path_rule);
    if (out.path.empty())
        out.path = "/services/" + offer.meta.name;
    out.routes = read_routes(spec);
    out.limits = read_limits(spec);
    out.registration = read_registration(offer.spec());
    read_drain(spec, out);
    if (wrong)
        return *wrong;
    return out;
}

}  // namespace portitor::api

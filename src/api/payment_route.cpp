#include "api/fields.hpp"
#include "api/pattern_list.hpp"

#include <portitor/api/payment_route.hpp>
#include <portitor/api/resources.hpp>

namespace portitor::api {

namespace json = boost::json;

namespace {

constexpr std::string_view digits_expected = "an amount in atomic units: decimal digits, more than zero";

price_model read_model(const fields& in)
{
    switch (in.one_of("priceModel", {"per-request", "per-mtok", "per-hour"}))
    {
    case 1:
        return price_model::per_mtok;
    case 2:
        return price_model::per_hour;
    default:
        return price_model::per_request;
    }
}

u256 read_amount(const fields& in)
{
    const auto amount = parse_u256(in.text("price", 78));
    if (amount && *amount > 0)
        return *amount;
    in.refuse("price", digits_expected);
    return 0;
}

payment_rule read_rule(const fields& in, pattern_list& seen)
{
    payment_rule out;
    out.pattern = seen.read(in, "pattern");
    out.methods = read_methods(in);
    if (in.one_of("gate", {"paid", "free"}) == 1)
    {
        out.access = gate::free;
        return out;
    }
    out.price = read_amount(in);
    out.model = read_model(in);
    out.per_mtok = in.text("perMTok", 64);
    return out;
}

// A pattern is the offer's path and all below it.
bool is_pattern(std::string_view text)
{
    return text.ends_with("/*") && (text == "/*" || is_offer_path(text.substr(0, text.size() - 2)));
}

constexpr text_rule pattern_rule{is_pattern, "a path that ends with /*, such as /services/hello/*"};

}  // namespace

result<payment_route> parse_payment_route(const kube::object& route)
{
    if (!route.unreadable.empty())
        return fail(errc::invalid, "the object cannot be read: {}", route.unreadable);
    std::optional<error> wrong;
    const fields spec(route.spec(), "spec", wrong);

    payment_route out;
    out.meta = static_cast<const kube::object_identity&>(route.meta);
    out.pattern = spec.required_text("pattern", 520, pattern_rule);
    out.price = read_amount(spec);
    out.asset = spec.required_text("asset", 42, used_address_rule);
    out.pay_to = spec.required_text("payTo", 42, used_address_rule);
    out.network = spec.required_text("network", 64, caip2_rule);
    out.facilitator_url = spec.required_text("facilitatorURL", 2048, http_url_rule);
    out.model = read_model(spec);
    out.per_mtok = spec.text("perMTok", 64);
    out.approx_tokens_per_request = spec.integer("approxTokensPerRequest", 0, 1'000'000'000, 0);
    out.description = spec.text("description", 1024);
    out.max_timeout_seconds = spec.integer("maxTimeoutSeconds", 1, 86400, 300);
    if (spec.one_of("settlement", {"beforeResponse", "afterResponse"}) == 1)
        out.settlement = settlement::after_response;
    out.public_url = spec.text("publicURL", 2048, http_url_rule);
    out.credential = spec.text("credential", 63, name_rule);
    out.suspended = spec.boolean("suspended", false);
    pattern_list patterns;
    for (const fields& each : spec.objects("rules", 128))
        out.rules.push_back(read_rule(each, patterns));
    if (const auto* owner = route.meta.controller(); owner && owner->kind == service_offer_resource.kind)
        out.offer = owner->name;
    if (wrong)
        return *wrong;
    return out;
}

const payment_rule* rule_for(const payment_route& route, std::span<const std::string_view> below)
{
    const payment_rule* best = nullptr;
    for (const payment_rule& each : route.rules)
    {
        if (each.pattern.covers(below, each.access) &&
            (!best || each.pattern.is_more_specific_than(best->pattern)))
            best = &each;
    }
    return best;
}

json::object to_json_spec(const payment_route& route)
{
    json::array rules;
    for (const payment_rule& each : route.rules)
    {
        json::object rule{{"pattern", each.pattern.text()}, {"gate", to_string(each.access)}};
        if (each.access == gate::paid)
        {
            rule["price"] = to_string(each.price);
            rule["priceModel"] = to_string(each.model);
            if (!each.per_mtok.empty())
                rule["perMTok"] = each.per_mtok;
        }
        if (!each.methods.empty())
        {
            json::array methods;
            for (const std::string& method : each.methods)
                methods.emplace_back(method);
            rule["methods"] = std::move(methods);
        }
        rules.push_back(std::move(rule));
    }
    return {
        {"pattern", route.pattern},
        {"price", to_string(route.price)},
        {"asset", route.asset},
        {"payTo", route.pay_to},
        {"network", route.network},
        {"facilitatorURL", route.facilitator_url},
        {"priceModel", to_string(route.model)},
        {"perMTok", route.per_mtok},
        {"approxTokensPerRequest", route.approx_tokens_per_request},
        {"description", route.description},
        {"maxTimeoutSeconds", route.max_timeout_seconds},
        {"settlement", to_string(route.settlement)},
        {"publicURL", route.public_url},
        {"credential", route.credential},
        {"suspended", route.suspended},
        {"rules", std::move(rules)},
    };
}

admission read_admission(const kube::object& route)
{
    admission out;
    out.admitted = kube::bool_at(route.status(), "admitted");
    out.generation = kube::int_at(route.status(), "lastAdmittedGeneration");
    const auto conditions = kube::parse_conditions(route.status());
    if (const kube::condition* verdict = kube::find_condition(conditions, "Admitted"))
    {
        out.reason = verdict->reason;
        out.message = verdict->message;
        out.about_generation = verdict->observed_generation;
        out.refused = verdict->status == "False";
    }
    return out;
}

bool is_refused_by_some(const kube::object& route)
{
    const admission said = read_admission(route);
    return said.admitted && said.generation == route.meta.generation &&
           said.about_generation == route.meta.generation && said.reason == refused_by_some;
}

}  // namespace portitor::api

#include "cli/once/both_sides.hpp"

#include "cli/cluster/shown_settings.hpp"
#include "cli/once/files.hpp"
#include "cli/yaml.hpp"
#include "offer/draft.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/object.hpp>

namespace portitor::cli::once {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr const char* pricing = "pricing.yaml";

void add(std::vector<charge>& out, const api::payment_route& route, const std::string& offer)
{
    charge usual;
    usual.pattern = route.pattern;
    usual.offer = offer;
    usual.atomic = route.price;
    usual.network = route.network;
    usual.asset = route.asset;
    usual.pay_to = route.pay_to;
    usual.facilitator = route.facilitator_url;
    usual.model = api::field_of(route.model);
    out.push_back(usual);
    // "/services/hello/*" and "/report": "/services/hello/report".
    const std::string base = route.pattern.substr(0, route.pattern.size() - 2);
    for (const api::payment_rule& rule : route.rules)
    {
        charge own = usual;
        own.pattern = base + rule.pattern.text();
        own.free = rule.access == api::gate::free;
        own.atomic = rule.price;
        own.model = api::field_of(rule.model);
        out.push_back(std::move(own));
    }
}

// Its name holds a dot, so it is no path.
result<std::string> pricing_in(const json::object& map, const std::string& what)
{
    const json::value* text = kube::object_at(map, "data").if_contains(pricing);
    if (!text || !text->is_string())
        return fail(errc::invalid, "{} has no key {}", what, pricing);
    return std::string(text->get_string());
}

result<std::string> pricing_of_file(const std::string& path, std::istream& standard_input)
{
    auto text = read_text(path, standard_input);
    if (!text)
        return text;
    const auto documents = parse_yaml(*text, plain_scalars::as_text);
    if (!documents)
        return documents.error().within(path);
    for (const json::value& each : *documents)
    {
        const json::object* object = each.if_object();
        if (object && kube::string_at(*object, "kind") == api::config_map_resource.kind)
            return pricing_in(*object, path);
    }
    return text;
}

}  // namespace

own_charges charges_of(
    const market_view& view, const offer::plan_settings& settings, bool settings_known, clock::time_point now
)
{
    own_charges out;
    for (const auto& [key, offer] : view.offers())
    {
        const offer::observation seen = view.observe(offer);
        const offer::draft wanted =
            offer::make_draft(seen, settings_known ? settings : shown_settings(settings, seen, *offer), now);
        if (wanted.route && !offer->meta.deleted)
            add(out.charges, *wanted.route, key.to_string());
        else if (wanted.blocked && offer->spec)
            out.blocked.push_back(
                {offer->spec->path == "/" ? "/*" : offer->spec->path + "/*",
                 key.to_string(),
                 fmt::format(
                     "ServiceOffer {} is not sold here: {}: {}",
                     key.to_string(),
                     wanted.blocked->reason,
                     wanted.blocked->message
                 )}
            );
    }
    return out;
}

asio::awaitable<result<std::string>>
read_pricing(kube::api* server, std::string source, std::istream* standard_input)
{
    if (source == "-" || source.starts_with('/') || source.find('.') != source.npos)
        co_return pricing_of_file(source, *standard_input);
    const std::size_t slash = source.find('/');
    if (slash == source.npos)
        co_return fail(
            errc::invalid, "--compare \"{}\": write NAMESPACE/NAME of the ConfigMap, or a file", source
        );
    if (!server)
        co_return fail(errc::invalid, "--compare {} is a ConfigMap, and no cluster is looked at", source);
    const auto found =
        co_await server->get(api::config_map_resource, {source.substr(0, slash), source.substr(slash + 1)});
    if (!found)
        co_return found.error().to_error().within("--compare: the ConfigMap " + source);
    co_return pricing_in((*found)->raw, "the ConfigMap " + source);
}

}  // namespace portitor::cli::once

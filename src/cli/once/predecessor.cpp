#include "cli/once/predecessor.hpp"

#include "cli/yaml.hpp"

#include <portitor/kube/object.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <limits>

namespace portitor::cli::once {

namespace json = boost::json;

namespace {

bool are_digits(std::string_view text)
{
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What applies where a route says nothing.
struct defaults
{
    std::string pay_to;
    std::string network;
    std::string facilitator;
};

// "0.0000005" at six decimals is 1: more digits than the asset has are rounded half up.
void read_price(const std::string& written, unsigned decimals, charge& into)
{
    const std::size_t point = std::min(written.find('.'), written.size());
    std::string whole = written.substr(0, point);
    std::string fraction = point < written.size() ? written.substr(point + 1) : "";
    if (whole.empty() || !are_digits(whole) || !are_digits(fraction) || written.ends_with('.'))
    {
        into.wrong = fmt::format("price \"{}\" is no amount", written);
        return;
    }
    const bool up = fraction.size() > decimals && fraction[decimals] >= '5';
    into.rounded =
        fraction.find_first_not_of('0', std::min<std::size_t>(decimals, fraction.size())) != fraction.npos;
    fraction.resize(decimals, '0');
    const auto atomic = parse_u256(whole + fraction);
    if (!atomic)
        into.wrong = fmt::format("price \"{}\": {}", written, atomic.error().message());
    else if (up && *atomic == std::numeric_limits<u256>::max())
        into.wrong = fmt::format("price \"{}\" is more than 256 bits hold, rounded up", written);
    else
        into.atomic = *atomic + (up ? 1 : 0);
    into.free = into.wrong.empty() && into.atomic == 0;
}

charge read_route(const json::object& route, const defaults& usual, const x402::network_table& known)
{
    charge out;
    out.pattern = kube::string_at(route, "pattern");
    const std::string name = kube::string_at(route, "offerName");
    if (!name.empty())
        out.offer = kube::object_key{kube::string_at(route, "offerNamespace"), name}.to_string();
    out.pay_to = kube::string_or(route, "payTo", usual.pay_to);
    out.network = kube::string_or(route, "network", usual.network);
    out.facilitator = usual.facilitator;
    out.model = kube::string_or(route, "priceModel", "perRequest");
    const x402::network* network = known.find(out.network);
    const x402::token* asset = network ? network->default_token() : nullptr;
    if (!asset)
    {
        out.wrong = fmt::format("network \"{}\" is not known", out.network);
        return out;
    }
    out.network = network->caip2;
    out.asset = asset->address;
    read_price(kube::string_or(route, "price", "0"), asset->decimals, out);
    return out;
}

}  // namespace

result<std::vector<charge>> read_predecessor(const std::string& yaml, const x402::network_table& known)
{
    const auto documents = parse_yaml(yaml, plain_scalars::as_text);
    if (!documents)
        return documents.error();
    if (documents->size() != 1 || !documents->front().is_object())
        return fail(errc::invalid, "a mapping with wallet, chain, facilitatorURL and routes is expected");
    const json::object& root = documents->front().get_object();
    const defaults usual{
        kube::string_at(root, "wallet"),
        kube::string_or(root, "chain", "base-sepolia"),
        kube::string_at(root, "facilitatorURL")};
    std::vector<charge> out;
    for (const json::value& each : kube::array_at(root, "routes"))
    {
        if (each.is_object())
            out.push_back(read_route(each.get_object(), usual, known));
    }
    return out;
}

}  // namespace portitor::cli::once

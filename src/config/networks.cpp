#include "config/yaml_list.hpp"

#include <portitor/config/networks.hpp>
#include <portitor/config/setters.hpp>

#include <yaml-cpp/yaml.h>

namespace portitor::config {

namespace {

result<x402::token> read_token(const YAML::Node& entry)
{
    auto known = only_keys(entry, {"symbol", "address", "name", "version", "decimals", "transferMethod"});
    if (!known)
        return known.error();
    auto symbol = required_text(entry, "symbol");
    auto address = required_text(entry, "address");
    auto name = required_text(entry, "name");
    auto version = required_text(entry, "version");
    auto decimals = required_text(entry, "decimals");
    auto method = optional_text(entry, "transferMethod");
    for (const auto* each : {&symbol, &address, &name, &version, &decimals, &method})
    {
        if (!*each)
            return each->error();
    }
    x402::token out;
    out.symbol = *symbol;
    out.address = *address;
    out.name = *name;
    out.version = *version;
    std::uint32_t number = 0;
    auto read = set_number(number)(*decimals);
    if (!read)
        return read.error().within("decimals");
    if (number > 255)
        return fail(errc::invalid, "decimals: {} is more than a token can have", number);
    out.decimals = number;
    if (!method->empty() && *method != "eip3009" && *method != "permit2")
        return fail(errc::invalid, "transferMethod: \"{}\" is neither eip3009 nor permit2", *method);
    out.method = *method == "permit2" ? x402::transfer_method::permit2 : x402::transfer_method::eip3009;
    return out;
}

result<x402::network> read_network(const YAML::Node& entry)
{
    auto known = only_keys(entry, {"network", "v1Name", "aliases", "tokens"});
    if (!known)
        return known.error();
    auto name = required_text(entry, "network");
    auto v1_name = optional_text(entry, "v1Name");
    auto aliases = texts(entry, "aliases");
    if (!name || !v1_name || !aliases)
        return !name ? name.error() : !v1_name ? v1_name.error() : aliases.error();
    x402::network out;
    out.caip2 = *name;
    out.v1_name = *v1_name;
    out.aliases = *aliases;
    std::uint32_t chain_id = 0;
    if (name->starts_with("eip155:") && set_number(chain_id)(name->substr(7)))
        out.chain_id = chain_id;
    auto shaped = check_list(entry["tokens"]);
    if (!shaped)
        return shaped.error().within("tokens");
    for (const auto& each : entry["tokens"])
    {
        auto token = read_token(each);
        if (!token)
            return token.error().within(fmt::format("token on line {}", each.Mark().line + 1));
        out.tokens.push_back(std::move(*token));
    }
    return out;
}

result<void> read_networks(const YAML::Node& list, x402::network_table& into)
{
    for (const auto& entry : list)
    {
        auto made = read_network(entry);
        if (!made)
            return made.error();
        const std::string name = made->caip2;
        auto added = into.add(std::move(*made));
        if (!added)
            return added.error().within("network " + name);
    }
    return {};
}

}  // namespace

void network_list::declare(loader& into)
{
    into.add(section{
        "networks", read_list([this](const YAML::Node& list) { return read_networks(list, table); }), [this] {
            table = x402::network_table::built_in();
        }});
}

}  // namespace portitor::config

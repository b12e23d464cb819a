#include "config/transport.hpp"
#include "config/yaml_list.hpp"

#include <portitor/config/chains.hpp>
#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/http/message.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

namespace portitor::config {

namespace {

// Extends or changes the built-in ones; a new one needs a registry.
result<void> read_chains(const YAML::Node& list, std::vector<chain>& into)
{
    std::set<std::string> seen;
    for (const auto& entry : list)
    {
        auto known = only_keys(entry, {"name", "registry", "rpcURL"});
        if (!known)
            return known;
        auto name = required_text(entry, "name");
        auto registry = optional_text(entry, "registry");
        auto rpc_text = optional_text(entry, "rpcURL");
        if (!name || !registry || !rpc_text)
            return !name ? name.error() : !registry ? registry.error() : rpc_text.error();
        if (!seen.insert(*name).second)
            return fail(errc::conflict, "line {}: chain {} comes twice", entry.Mark().line + 1, *name);
        std::string rpc_url;
        auto parsed = set_url(rpc_url)(*rpc_text);
        if (!parsed)
            // Without the URL, in which there may be a key.
            return fail(
                errc::invalid,
                "line {}: chain {}: rpcURL is not an absolute http or https URL",
                entry.Mark().line + 1,
                *name
            );
        auto at =
            std::find_if(into.begin(), into.end(), [&](const chain& each) { return each.name == *name; });
        if (at == into.end())
            at = into.insert(into.end(), chain{*name, {}});
        if (!registry->empty())
            at->registry = *registry;
        at->rpc_urls.clear();
        if (!rpc_url.empty())
            at->rpc_urls.push_back(rpc_url);
    }
    return {};
}

}  // namespace

// The identity registries of ERC-8004: one address on every mainnet, another on every testnet.
std::vector<chain> built_in_chains()
{
    const std::string mainnet = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
    const std::string testnet = "0x8004A818BFB912233c491871b3d84c89A494BD9e";
    return {
        {"base-sepolia", testnet},
        {"base", mainnet},
        {"ethereum", mainnet},
        {"polygon", mainnet},
        {"avalanche", mainnet},
        {"polygon-amoy", testnet},
    };
}

void chain_list::declare(loader& into)
{
    into.add(insecure_option(allow_insecure));
    into.add(section{
        "chains", read_list([this](const YAML::Node& list) { return read_chains(list, entries); }), [this] {
            entries = built_in_chains();
        }});
}

result<void> chain_list::resolve()
{
    for (const chain& each : entries)
    {
        if (each.registry.empty() && each.rpc_urls.empty())
            return fail(errc::invalid, "chain {}: neither \"registry\" nor \"rpcURL\" is given", each.name);
        // What the node says is believed. Its URL is not told: there may be a key in it.
        for (const std::string& url : each.rpc_urls)
        {
            const auto node = http::parse_url(url);
            if (node && !may_be_asked(node->origin, allow_insecure))
                return fail(errc::invalid, "chain {}: rpcURL {}", each.name, wants_https);
        }
    }
    return {};
}

}  // namespace portitor::config

#include "config/yaml_list.hpp"

#include <portitor/config/registrar_lists.hpp>
#include <portitor/config/setters.hpp>

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <functional>
#include <span>

namespace portitor::config {

namespace {

/// A name as Kubernetes has them; a namespace has no points.
result<std::string> required_name(const YAML::Node& entry, const char* key, bool has_points)
{
    auto name = required_text(entry, key);
    if (!name)
        return name;
    const auto fits = [&](char each) {
        return (each >= 'a' && each <= 'z') || (each >= '0' && each <= '9') || each == '-' ||
               (has_points && each == '.');
    };
    if (name->size() > 253 || !std::all_of(name->begin(), name->end(), fits))
        return fail(
            errc::invalid,
            "line {}: \"{}\" is one name: lower-case letters, digits and dashes",
            entry[key].Mark().line + 1,
            key
        );
    return name;
}

result<void> read_signers(const YAML::Node& list, std::vector<signer_entry>& into)
{
    for (const auto& entry : list)
    {
        auto known = only_keys(entry, {"namespace", "secret"});
        if (!known)
            return known;
        auto ns = required_name(entry, "namespace", false);
        auto secret = required_name(entry, "secret", true);
        if (!ns || !secret)
            return !ns ? ns.error() : secret.error();
        signer_entry made{std::move(*ns), std::move(*secret)};
        if (std::find(into.begin(), into.end(), made) != into.end())
            return fail(
                errc::conflict,
                "line {}: Secret {}/{} comes twice",
                entry.Mark().line + 1,
                made.ns,
                made.secret
            );
        into.push_back(std::move(made));
    }
    return {};
}

result<identity_entry> read_identity(const YAML::Node& entry)
{
    auto known = only_keys(entry, {"chain", "agentId", "namespace", "handBack"});
    if (!known)
        return known.error();
    auto chain = required_text(entry, "chain");
    auto id_text = required_text(entry, "agentId");
    auto ns = required_name(entry, "namespace", false);
    auto hand_back = optional_text(entry, "handBack");
    for (const auto* each : {&chain, &id_text, &ns, &hand_back})
    {
        if (!*each)
            return each->error();
    }
    const auto agent_id = parse_u256(*id_text);
    if (!agent_id)
        return fail(
            errc::invalid,
            "line {}: \"agentId\" is the number of an agent: decimal digits",
            entry["agentId"].Mark().line + 1
        );
    identity_entry out{std::move(*chain), *agent_id, std::move(*ns), false, entry.Mark().line + 1};
    if (!hand_back->empty() && !set_bool(out.hand_back)(*hand_back))
        return fail(
            errc::invalid, "line {}: \"handBack\" is true or false", entry["handBack"].Mark().line + 1
        );
    return out;
}

/// errc::conflict where one of those before is for the same identity.
result<void> check_alone(
    const identity_entry& entry,
    std::span<const identity_entry> before,
    const std::function<bool(const identity_entry&)>& is_same_chain
)
{
    const auto at = std::find_if(before.begin(), before.end(), [&](const identity_entry& each) {
        return each.agent_id == entry.agent_id && is_same_chain(each);
    });
    if (at == before.end())
        return {};
    const std::string what =
        fmt::format("line {}: agent {} of {}", entry.line, to_string(entry.agent_id), entry.chain);
    if (at->ns == entry.ns)
        return fail(errc::conflict, "{} comes twice (also on line {})", what, at->line);
    return fail(
        errc::conflict,
        "{} is given to two namespaces, {} and {}: an identity is one offer's",
        what,
        at->ns,
        entry.ns
    );
}

result<void> read_identities(const YAML::Node& list, std::vector<identity_entry>& into)
{
    for (const auto& entry : list)
    {
        auto made = read_identity(entry);
        if (!made)
            return made.error();
        auto alone =
            check_alone(*made, into, [&](const identity_entry& each) { return each.chain == made->chain; });
        if (!alone)
            return alone;
        into.push_back(std::move(*made));
    }
    return {};
}

}  // namespace

void registrar_lists::declare(loader& into)
{
    into.add(section{
        "signers", read_list([this](const YAML::Node& list) { return read_signers(list, signers); }), [this] {
            signers.clear();
        }});
    into.add(section{
        "identities",
        read_list([this](const YAML::Node& list) { return read_identities(list, identities); }),
        [this] { identities.clear(); }});
}

result<void> registrar_lists::resolve(const x402::network_table& networks)
{
    for (std::size_t i = 0; i < identities.size(); ++i)
    {
        const identity_entry& each = identities[i];
        const x402::network* network = networks.find(each.chain);
        if (!network || network->chain_id == 0)
            return fail(
                errc::invalid,
                "identities: line {}: {} is no chain of the EVM that is known: see the list networks",
                each.line,
                each.chain
            );
        auto alone = check_alone(each, std::span(identities).first(i), [&](const identity_entry& other) {
            return networks.find(other.chain) == network;
        });
        if (!alone)
            return alone.error().within("identities");
    }
    return {};
}

}  // namespace portitor::config

#include "cli/sell/registration_flags.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/common_options.hpp"
#include "cli/sell/spec_fields.hpp"

#include <boost/algorithm/string/split.hpp>
#include <boost/json/array.hpp>

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

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

void registration_flags::declare(config::loader& into, const std::string& prefix)
{
    const config::headed own = into.under("Registration as an agent (ERC-8004)");
    own.add(text_option(prefix + "chain", "chain (default the operator's first chain)", chain, "CHAIN"));
    own.add(text_option(prefix + "name", "name (default the offer's)", name, "NAME"));
    own.add(text_option(prefix + "description", "what it does", description, "TEXT"));
    own.add(text_option(prefix + "image", "URL of a picture", image, "URL"));
    own.add(list_option(prefix + "skills", "skills, with commas", skills, "A,B"));
    own.add(list_option(prefix + "domains", "domains, with commas", domains, "A,B"));
    own.add(list_option(prefix + "metadata", "an entry that is written on chain", metadata, "KEY=VALUE"));
    own.add(text_option(
        prefix + "agent-id",
        "takes over this agent, in place of a new one, as the operator allows",
        agent_id,
        "NUMBER"
    ));
    own.add(text_option(
        prefix + "private-key-secret",
        "Secret of the namespace with a keystore to sign with, as the operator allows",
        key_secret,
        "NAME"
    ));
}

bool registration_flags::empty() const
{
    return chain.empty() && name.empty() && description.empty() && image.empty() && skills.empty() &&
           domains.empty() && metadata.empty() && agent_id.empty() && key_secret.empty();
}

result<void> registration_flags::fill(json::object& registration, const std::string& prefix) const
{
    if (chain.find(',') != chain.npos)
        return fail(
            errc::invalid,
            "{}chain: \"{}\" are several, and an offer is registered on one: write one of them",
            prefix,
            printable(chain, 200)
        );
    put(registration, "chain", chain);
    put(registration, "name", name);
    put(registration, "description", description);
    put(registration, "image", image);
    put(registration, "agentId", agent_id);
    if (!key_secret.empty())
        put(child(registration, "privateKeySecret"), "name", key_secret);
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

}  // namespace portitor::cli::sell

#include "cli/sell/predecessor.hpp"

#include <boost/algorithm/string/split.hpp>

#include <algorithm>
#include <array>

namespace portitor::cli::sell {

namespace {

enum class kind
{
    subcommand,
    flag,
    switch_flag,
    route_key,
};

struct replaced
{
    kind what;
    std::string_view of;  ///< the subcommands that have the flag, with spaces
    /// With spaces. Only those behind the first one may be names of roles' options, such as "listen".
    std::string_view names;
    const char* instead;
};

constexpr const char* no_machine =
    "this is about a server or a virtual machine on the seller's own computer, and Portitor starts none: "
    "leave it out; the model is served by the Service that --upstream names";
constexpr const char* no_enclave = "this is about an enclave, and Portitor attests none: leave it out";
constexpr const char* what_a_service_serves =
    "that is not sold as such; run it behind a Service and sell that: "
    "portitor sell http NAME --upstream SERVICE";

constexpr std::array all{
    replaced{
        kind::subcommand,
        "",
        "update",
        "give the portitor sell http (or inference) line that made the offer once more, with the new price; "
        "it says what changes, and --dry-run only shows it"},
    replaced{
        kind::subcommand,
        "",
        "pricing",
        "each offer has terms of its own (--pay-to, --network and --facilitator of portitor sell http), and "
        "what it leaves out is in the settings of the release; portitor sell status NAME shows what applies"},
    replaced{kind::subcommand, "", "probe", "it is called test: portitor sell test NAME"},
    replaced{kind::subcommand, "", "info", "portitor sell status NAME shows how an offer stands"},
    replaced{
        kind::subcommand,
        "",
        "identity",
        "each offer is an agent of its own: portitor sell register NAME, and portitor sell status NAME shows "
        "which"},
    replaced{
        kind::subcommand,
        "",
        "storefront",
        "offers list themselves, at /api/services.json of the gateway; nothing is to be set up"},
    replaced{kind::subcommand, "", "agent mcp demo skill dataset", what_a_service_serves},
    replaced{
        kind::flag,
        "http inference",
        "provenance-file",
        "an offer has no provenance: leave it out, or say it with --register-metadata KEY=VALUE"},
    replaced{kind::switch_flag, "inference", "vm", no_machine},
    replaced{kind::flag, "inference", "vm-image listen vm-cpus vm-memory vm-host-port", no_machine},
    replaced{kind::flag, "inference", "tee enclave-tag model-hash", no_enclave},
    replaced{
        kind::flag,
        "register",
        "endpoint",
        "an agent is found at its offer's own URL: leave it out; --hostname and --path of portitor sell http "
        "say which that is"},
    replaced{
        kind::switch_flag,
        "register",
        "sponsored",
        "the operator's registrar signs and pays for every registration: leave it out"},
    replaced{
        kind::flag,
        "register",
        "private-key-file",
        "the operator's registrar signs with a key of its own, and takes none from here: leave it out, or "
        "name a Secret that the operator lists (--private-key-secret)"},
    replaced{
        kind::switch_flag,
        "resume",
        "install-boot-unit",
        "an offer is kept by the cluster, and outlives a restart of this computer: leave it out"},
    replaced{
        kind::route_key,
        "",
        "methods",
        "leave it out, and write spec.routes[].methods into the offer's manifest; it holds there"},
    replaced{
        kind::route_key,
        "",
        "summary",
        "an offer has one text for buyers: leave it out, and say it with --description"},
    replaced{
        kind::route_key,
        "",
        "freeQuota",
        "nothing is free by the number of requests: leave it out, or write gate=free for a whole path"},
};

std::vector<std::string> words_of(std::string_view text)
{
    std::vector<std::string> out;
    boost::algorithm::split(out, text, [](char c) { return c == ' '; });
    return out;
}

bool has_word(std::string_view text, std::string_view word)
{
    const auto words = words_of(text);
    return std::find(words.begin(), words.end(), word) != words.end();
}

config::option refused(const replaced& what)
{
    std::vector<std::string> names = words_of(what.names);
    const bool is_switch = what.what == kind::switch_flag;
    config::option out{
        names.front(), "", is_switch ? "false" : "", [why = what.instead](const std::string& given) {
            return given.empty() || given == "false" ? result<void>() : fail(errc::invalid, "{}", why);
        }};
    out.is_switch = is_switch;
    out.is_typed_only = true;
    out.aliases.assign(names.begin() + 1, names.end());
    return out;
}

}  // namespace

std::vector<replaced_word> replaced_subcommands()
{
    std::vector<replaced_word> out;
    for (const replaced& each : all)
    {
        if (each.what != kind::subcommand)
            continue;
        for (std::string& name : words_of(each.names))
            out.push_back({std::move(name), each.instead});
    }
    return out;
}

void declare_replaced(config::loader& into, std::string_view subcommand)
{
    for (const replaced& each : all)
    {
        if ((each.what == kind::flag || each.what == kind::switch_flag) && has_word(each.of, subcommand))
            into.add(refused(each));
    }
}

const char* why_no_route_key(std::string_view key)
{
    const auto at = std::find_if(all.begin(), all.end(), [&](const replaced& each) {
        return each.what == kind::route_key && each.names == key;
    });
    return at == all.end() ? nullptr : at->instead;
}

}  // namespace portitor::cli::sell

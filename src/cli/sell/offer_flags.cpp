#include "cli/sell/offer_flags.hpp"

#include <portitor/config/setters.hpp>

namespace portitor::cli::sell {

namespace {

config::option text(std::string name, std::string help, std::string& into, std::string placeholder)
{
    config::option out{std::move(name), std::move(help), "", config::set_text(into)};
    out.placeholder = std::move(placeholder);
    return out;
}

config::option with_aliases(config::option what, std::vector<std::string> aliases, char letter = 0)
{
    what.aliases = std::move(aliases);
    what.letter = letter;
    return what;
}

config::option
list(std::string name, std::string help, std::vector<std::string>& into, std::string placeholder)
{
    config::option out = config::list_option(std::move(name), std::move(help), into);
    out.placeholder = std::move(placeholder);
    return out;
}

config::option flag(std::string name, std::string help, bool& into)
{
    return {std::move(name), std::move(help), "false", config::set_bool(into), true};
}

// Flags of the predecessor's that are about something that is not there: better refused than ignored.
config::option
refused(std::string name, std::vector<std::string> aliases, const char* why, bool is_switch, std::string help)
{
    config::option out{
        std::move(name), std::move(help), is_switch ? "false" : "", [why](const std::string& given) {
            return given.empty() || given == "false" ? result<void>() : fail(errc::invalid, "{}", why);
        }};
    out.is_switch = is_switch;
    out.aliases = std::move(aliases);
    return out;
}

void declare_refused(const config::headed& into, api::offer_type type)
{
    into.add(refused(
        "provenance-file",
        {},
        "an offer has no provenance; leave it out, or say it with --register-metadata KEY=VALUE",
        false,
        "refused: offers have no provenance"
    ));
    if (type != api::offer_type::inference)
        return;
    constexpr const char* no_machine =
        "is about a server or a virtual machine on the seller's own computer. Portitor starts none: "
        "the model is "
        "served by the Service that --upstream names; leave it out";
    into.add(refused("vm", {}, no_machine, true, "refused: nothing is started on this computer"));
    into.add(refused(
        "vm-image",
        {"listen", "vm-cpus", "vm-memory", "vm-host-port"},
        no_machine,
        false,
        "refused, as the names beside it"
    ));
    into.add(refused(
        "tee",
        {"enclave-tag", "model-hash"},
        "is about an enclave, and Portitor attests none; leave it out",
        false,
        "refused, as the names beside it"
    ));
}

}  // namespace

void registration_flags::declare(config::loader& into, const std::string& prefix)
{
    const config::headed own = into.under("Registration as an agent (ERC-8004)");
    own.add(text(prefix + "chain", "chain; the operator's first where it is left out", chain, "CHAIN"));
    own.add(text(prefix + "name", "name; the offer's where it is left out", name, "NAME"));
    own.add(text(prefix + "description", "what it does", description, "TEXT"));
    own.add(text(prefix + "image", "URL of a picture", image, "URL"));
    own.add(list(prefix + "skills", "skills, with commas", skills, "A,B"));
    own.add(list(prefix + "domains", "domains, with commas", domains, "A,B"));
    own.add(list(prefix + "metadata", "an entry that is written on chain", metadata, "KEY=VALUE"));
}

bool registration_flags::empty() const
{
    return chain.empty() && name.empty() && description.empty() && image.empty() && skills.empty() &&
           domains.empty() && metadata.empty();
}

void offer_flags::declare(config::loader& into)
{
    const bool inference = type == api::offer_type::inference;
    const config::headed what = into.under("What is sold");
    what.add(text("upstream", "the Service: SERVICE, SERVICE.NAMESPACE or its DNS name", upstream, "SERVICE")
    );
    what.add(text("port", inference ? "its port (11434)" : "its port (8080)", port, "PORT"));
    what.add(text(
        "upstream-namespace", "its namespace; the offer's where it is left out", upstream_ns, "NAMESPACE"
    ));
    what.add(text("health-path", "answers a GET with 2xx while it is well (/health)", health_path, "PATH"));
    what.add(text("credential", "name of the operator's Authorization value for it", credential, "NAME"));
    if (inference)
    {
        what.add(text("model", "the model that it serves", model, "MODEL"));
        what.add(text("runtime", "what serves it: ollama, vllm or tgi", runtime, "RUNTIME"));
    }
    what.add(text("description", "what buyers read", description, "TEXT"));

    const config::headed terms = into.under("Terms");
    terms.add(with_aliases(
        text(
            "price",
            inference ? "of one request, in units of the token (0.001)"
                      : "of one request, in units of the token",
            price,
            "AMOUNT"
        ),
        {"per-request"}
    ));
    terms.add(text("per-mtok", "of a million tokens; a request is taken for 1000", per_mtok, "AMOUNT"));
    terms.add(text("per-hour", "of an hour; a request is taken for five minutes", per_hour, "AMOUNT"));
    terms.add(with_aliases(text("chain", "where buyers pay (base-sepolia)", network, "NETWORK"), {"network"})
    );
    terms.add(with_aliases(
        text(
            "token",
            "symbol or address of the token; the network's first where it is left out",
            asset,
            "TOKEN"
        ),
        {"asset"}
    ));
    terms.add(flag("obol-token", "the same as --token OBOL", obol_token));
    terms.add(with_aliases(
        text(
            "pay-to",
            "address that is paid; X402_WALLET of the environment where it is left out",
            pay_to,
            "0x…"
        ),
        {"wallet"},
        'w'
    ));
    terms.add(
        text("max-timeout", "for how many seconds a signed payment is valid (300)", max_timeout, "SECONDS")
    );
    terms.add(with_aliases(
        text(
            "facilitator",
            "name on the operator's list; his default where it is left out",
            facilitator,
            "NAME"
        ),
        {}
    ));

    const config::headed place = into.under("Where");
    place.add(text("path", "path at the gateway (/services/NAME)", path, "PATH"));
    place.add(text("hostname", "host; every one where it is left out", hostname, "HOST"));
    place.add(list(
        "route",
        "terms of a path below: path=/x,gate=free or path=/y,gate=paid,price=0.5",
        routes,
        "KEY=VALUE,…"
    ));

    const config::headed agent = into.under("Registration as an agent (ERC-8004)");
    agent.add(flag("register", "registers the offer; it is not unless this is given", wants_registration));
    agent.add(flag("no-register", "registers nothing, which is the default here", no_registration));
    registration.declare(into, "register-");
    declare_refused(into.under("Of the predecessor, and refused"), type);
}

}  // namespace portitor::cli::sell

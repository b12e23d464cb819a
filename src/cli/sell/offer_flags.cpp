#include "cli/sell/offer_flags.hpp"

#include "cli/sell/common_options.hpp"
#include "cli/sell/predecessor.hpp"

namespace portitor::cli::sell {

namespace {

config::option with_aliases(config::option what, std::vector<std::string> aliases, char letter = 0)
{
    what.aliases = std::move(aliases);
    what.letter = letter;
    return what;
}

}  // namespace

void offer_flags::declare(config::loader& into)
{
    const bool inference = type == api::offer_type::inference;
    const config::headed what = into.under("What is sold");
    what.add(text_option(
        "upstream", "the Service: SERVICE, SERVICE.NAMESPACE or its DNS name", upstream, "SERVICE"
    ));
    what.add(
        text_option("port", inference ? "its port (default 11434)" : "its port (default 8080)", port, "PORT")
    );
    what.add(
        text_option("upstream-namespace", "its namespace (default the offer's)", upstream_ns, "NAMESPACE")
    );
    what.add(text_option(
        "health-path", "answers a GET with 2xx while it is well (default /health)", health_path, "PATH"
    ));
    what.add(
        text_option("credential", "name of the operator's Authorization value for it", credential, "NAME")
    );
    if (inference)
    {
        what.add(text_option("model", "the model that it serves", model, "MODEL"));
        what.add(text_option("runtime", "what serves it: ollama, vllm or tgi", runtime, "RUNTIME"));
    }
    what.add(text_option("description", "what buyers read", description, "TEXT"));

    const config::headed terms = into.under("Terms");
    terms.add(with_aliases(
        text_option(
            "price",
            inference ? "of one request, in units of the token (default 0.001)"
                      : "of one request, in units of the token",
            price,
            "AMOUNT"
        ),
        {"per-request"}
    ));
    terms.add(text_option("per-mtok", "of a million tokens; a request is taken for 1000", per_mtok, "AMOUNT")
    );
    terms.add(text_option("per-hour", "of an hour; a request is taken for five minutes", per_hour, "AMOUNT"));
    terms.add(with_aliases(
        text_option("chain", "where buyers pay (default base-sepolia)", network, "NETWORK"), {"network"}
    ));
    terms.add(with_aliases(
        text_option("token", "symbol or address of the token (default the network's first)", asset, "TOKEN"),
        {"asset"}
    ));
    terms.add(switch_option("obol-token", "the same as --token OBOL", obol_token));
    terms.add(with_aliases(
        text_option("pay-to", "address that is paid (default X402_WALLET of the environment)", pay_to, "0x…"),
        {"wallet"},
        'w'
    ));
    terms.add(text_option(
        "max-timeout", "for how many seconds a signed payment is valid (default 300)", max_timeout, "SECONDS"
    ));
    terms.add(text_option("facilitator", "name on the operator's list (default his own)", facilitator, "NAME")
    );

    const config::headed place = into.under("Where");
    place.add(text_option("path", "path at the gateway (default /services/NAME)", path, "PATH"));
    place.add(text_option(
        "hostname",
        "host of its own, which the operator has to allow (default the public ones)",
        hostname,
        "HOST"
    ));
    place.add(list_option(
        "route",
        "terms of a path below: path=/x,gate=free or path=/y,gate=paid,price=0.5",
        routes,
        "KEY=VALUE,…"
    ));

    const config::headed agent = into.under("Registration as an agent (ERC-8004)");
    agent.add(switch_option("register", "registers the offer", wants_registration));
    agent.add(switch_option("no-register", "registers nothing (default)", no_registration));
    registration.declare(into, "register-");
    declare_replaced(into, inference ? "inference" : "http");
}

}  // namespace portitor::cli::sell

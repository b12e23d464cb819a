#include "cli/doctor/options.hpp"

#include "cli/options/shared.hpp"

#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/evm/address.hpp>

#include <fmt/ranges.h>

#include <algorithm>

namespace portitor::cli::doctor {

namespace {

std::vector<std::string> area_names()
{
    std::vector<std::string> out;
    for (const area& each : all_areas())
        out.emplace_back(each.name);
    return out;
}

config::option with_letter(config::option of, char letter, std::vector<std::string> values)
{
    of.letter = letter;
    of.values = std::move(values);
    return of;
}

}  // namespace

void options::declare(config::loader& into)
{
    settings.declare(into);
    into.layered([&] {
        into.under("Controller")
            .add(
                {.name = "discovery-service",
                 .help = "the controller's Service",
                 .fallback = "",
                 .apply = config::set_service_port(discovery_service),
                 .placeholder = "NAMESPACE/NAME[:PORT]"}
            );
        into.add(config::low_balance_option(low_balance));
    });
    const config::headed own = into.under("Doctor");
    own.add(offer_namespace_option(ns, "looks at the offers of this namespace alone"));
    own.add(output_option(output, {"text", "yaml", "json"}));
    own.add(
        with_letter(config::list_option("only", "areas to look at, instead of all", only), '\0', area_names())
    );
    own.add({"offline", "asks the API server alone", "false", config::set_bool(offline), true});
    own.add(timeout_option(timeout, "15s", "how long each area may take"));
    own.add({"strict", "exit code 1 for warnings, too", "false", config::set_bool(strict), true});
    own.add(
        {.name = "registrar-account",
         .help = "the account (0x…) whose balance is looked at",
         .fallback = "",
         .apply = config::set_text(registrar_account),
         .placeholder = "ADDRESS"}
    );
    own.add(
        {"rights",
         "prints the rights that each role and doctor need, and asks nobody",
         "false",
         config::set_bool(rights),
         true}
    );
}

result<void> options::resolve()
{
    const std::vector<std::string> known = area_names();
    for (const std::string& each : only)
    {
        if (std::find(known.begin(), known.end(), each) == known.end())
            return fail(errc::invalid, "--only: \"{}\" is not one of {}", each, fmt::join(known, ", "));
    }
    if (timeout.count() < 1)
        return fail(errc::invalid, "--timeout: less than a second is too little");
    if (!registrar_account.empty() && !evm::address::parse(registrar_account))
        return fail(errc::invalid, "--registrar-account: \"{}\" is no address", registrar_account);
    return settings.resolve();
}

std::vector<area> options::areas() const
{
    std::vector<area> out;
    for (const area& each : all_areas())
    {
        const bool is_asked = only.empty() || std::find(only.begin(), only.end(), each.name) != only.end();
        if (is_asked && !(offline && each.asks_outside))
            out.push_back(each);
    }
    return out;
}

}  // namespace portitor::cli::doctor

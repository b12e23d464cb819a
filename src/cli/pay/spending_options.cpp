#include "cli/pay/spending_options.hpp"

#include <portitor/config/setters.hpp>

namespace portitor::cli::pay {

namespace {

config::option text_option(const char* name, const char* help, std::string& into, const char* placeholder)
{
    config::option out{name, help, "", config::set_text(into)};
    out.placeholder = placeholder;
    return out;
}

}  // namespace

void spending_options::declare(const config::headed& into, const char* key_help)
{
    into.add(text_option("key-file", key_help, key_file, "FILE"));
    config::option most =
        text_option("max-amount", "pay no more than this, in whole tokens", max_amount, "AMOUNT");
    most.fallback = "0.01";
    into.add(std::move(most));
    into.add(text_option(
        "max-atomic-amount",
        "the same for a token that is not known here, in its smallest units; without it, such a token is not "
        "paid",
        max_atomic_amount,
        "UNITS"
    ));
    config::option real_money{
        "allow-mainnet",
        "pay also on networks that are no known test networks: with real money",
        "false",
        config::set_bool(allow_mainnet),
        true};
    real_money.is_typed_only = true;
    into.add(std::move(real_money));
    config::option in_clear{
        "allow-http",
        "pay with real money also over plain http, where whoever reads along can use the payment",
        "false",
        config::set_bool(allow_http),
        true};
    in_clear.is_typed_only = true;
    into.add(std::move(in_clear));
}

result<x402::spending_rules> spending_options::rules() const
{
    x402::spending_rules out{
        .networks = {},
        .main_networks = allow_mainnet,
        .main_networks_in_clear = allow_http,
        .most = max_amount};
    constexpr unsigned finest = 18;
    if (const auto most = atomic_units(max_amount, finest); !most)
        return most.error().within("--max-amount");
    if (!max_atomic_amount.empty())
    {
        const auto most = parse_u256(max_atomic_amount);
        if (!most)
            return most.error().within("--max-atomic-amount");
        out.most_atomic = *most;
    }
    return out;
}

config::option ca_file_option(std::string& into)
{
    return text_option("ca-file", "trust these authorities (PEM) in place of the system's", into, "FILE");
}

}  // namespace portitor::cli::pay

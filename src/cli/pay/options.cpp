#include "cli/pay/options.hpp"

#include "cli/options/shared.hpp"

#include <portitor/config/setters.hpp>
#include <portitor/config/suggestion.hpp>

namespace portitor::cli::pay {

namespace {

using config::option;

option with_placeholder(option what, const char* placeholder)
{
    what.placeholder = placeholder;
    return what;
}

option one_of(option what, std::vector<std::string> known)
{
    what.values = std::move(known);
    return what;
}

option lettered(option what, char letter)
{
    what.letter = letter;
    return what;
}

void declare_request(const config::headed& into, options& own)
{
    into.add(with_placeholder(
        {"method",
         "the request's method; without it GET, or POST where there is a body",
         "",
         config::set_text(own.method),
         false,
         'X'},
        "METHOD"
    ));
    into.add(with_placeholder(
        {"data", "the request's body, @FILE for that of a file", "", config::set_text(own.data), false, 'd'},
        "BODY"
    ));
    into.add(with_placeholder(
        lettered(config::list_option("header", "a header of the request, 'Name: value'", own.headers), 'H'),
        "HEADER"
    ));
    into.add(ca_file_option(own.ca_file));
    into.add(timeout_option(own.timeout, "60s", "how long one exchange may take"));
}

void declare_payment(const config::headed& into, options& own)
{
    own.spending.declare(
        into,
        "the private key to pay with, a file that only you can read, - for standard input; without it you "
        "are asked on a terminal, and elsewhere only the terms are shown"
    );
    into.add(with_placeholder(
        config::list_option("network", "pay on this network only, such as base-sepolia", own.networks), "NAME"
    ));
    into.add(one_of(
        {"x402-version", "pay by this version of x402 only", "", config::set_text(own.version)}, {"1", "2"}
    ));
    into.add(with_placeholder(
        {"payment-file",
         "send the payment that an earlier run has kept in this file, and sign none",
         "",
         config::set_text(own.payment_file)},
        "FILE"
    ));
    into.add(
        {"dry-run", "says what it would do, and pays nothing", "false", config::set_bool(own.dry_run), true}
    );
}

}  // namespace

void options::declare(config::loader& into)
{
    into.positional("URL", "what to ask for", url);
    declare_request(into.under("Request"), *this);
    declare_payment(into.under("Payment"), *this);
    const config::headed shown = into.under("Output");
    shown.add(output_option(output, {"text", "json", "yaml"}));
    shown.add(with_placeholder(
        {"output-file",
         "where the answer's body goes, in place of standard output",
         "",
         config::set_text(output_file)},
        "FILE"
    ));
}

result<void> options::resolve()
{
    if (auto done = resolve_request(); !done)
        return done;
    if (auto done = resolve_rules(); !done)
        return done;
    return check_again();
}

result<void> options::check_again() const
{
    if (!payment_file.empty() && !spending.key_file.empty())
        return fail(
            errc::invalid, "--payment-file sends a payment that is signed already: leave out --key-file"
        );
    if (!payment_file.empty() && dry_run)
        return fail(errc::invalid, "--payment-file sends a payment: leave out --dry-run");
    return {};
}

result<void> options::resolve_request()
{
    auto made = wish_for(url);
    if (!made)
        return made.error().within("URL");
    what = std::move(*made);
    what.method = !method.empty() ? method : data.empty() ? "GET" : "POST";
    if (!is_method(what.method))
        return fail(
            errc::invalid, "--method: \"{}\" is no method of HTTP that can be used here", what.method
        );
    for (const std::string& each : headers)
    {
        // Not quoted: it may be a credential.
        auto header = parse_header(each);
        if (!header)
            return header.error().within("--header");
        what.headers.push_back(std::move(*header));
    }
    if (timeout.count() == 0)
        return fail(errc::invalid, "--timeout must be at least 1s");
    what.timeout = timeout;
    return {};
}

result<void> options::resolve_rules()
{
    auto limits = spending.rules();
    if (!limits)
        return limits.error();
    rules = std::move(*limits);
    rules.networks = networks;
    const auto known = x402::network_table::built_in();
    std::vector<std::string> names;
    for (const x402::network& each : known.all())
        names.push_back(each.v1_name.empty() ? each.caip2 : each.v1_name);
    for (const std::string& each : networks)
        if (!known.find(each) && !each.starts_with("eip155:"))
            return fail(
                errc::invalid,
                "--network: \"{}\" is no network that is known here{}; any chain can be named as eip155:ID",
                each,
                config::did_you_mean(each, names)
            );
    if (!version.empty() && version != "1" && version != "2")
        return fail(errc::invalid, "--x402-version: \"{}\" is neither 1 nor 2", version);
    only_version = version.empty() ? std::nullopt : std::optional(version == "1" ? 1 : 2);
    return {};
}

}  // namespace portitor::cli::pay

#include "roles/registrar/options.hpp"

#include <portitor/config/groups.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::registrar {

namespace {

config::setter set_ether(u256& into)
{
    return [&into](const std::string& value) -> result<void> {
        constexpr unsigned decimals = 18;
        auto amount = atomic_units(value, decimals);
        if (!amount)
            return fail(errc::invalid, "a decimal number of ether is wanted: {}", amount.error().message());
        if (*amount > atomic_units("1000000000", decimals).value())
            return fail(errc::invalid, "{} ether is more than there can be", value);
        into = *amount;
        return {};
    };
}

config::option with_placeholder(config::option what, std::string placeholder)
{
    what.placeholder = std::move(placeholder);
    return what;
}

}  // namespace

void options::declare(config::loader& into)
{
    config::declare_all(into, lease, key, chains, networks, lists);
    const config::headed own = into.under("Registrar");
    own.add(with_placeholder(
        {"request",
         "executes this one RegistrationRequest to its end, as a Job does: exit code 0 where it is "
         "Confirmed, Retired or OffChainOnly",
         "",
         config::set_key(request)},
        "NAMESPACE/NAME"
    ));
    own.add(
        {"until-done",
         "ends when every request that there is has been executed, as a Job does",
         "false",
         config::set_bool(until_done),
         true}
    );
    own.add(with_placeholder(
        {"min-interval",
         "between two transactions of one request; the first change after its mint need not wait",
         "5m",
         config::set_seconds(min_interval)},
        "DURATION"
    ));
    own.add(with_placeholder(
        {"low-balance",
         "an account that has less sends nothing, in ether (the chain's own coin)",
         "0.001",
         set_ether(low_balance)},
        "AMOUNT"
    ));
}

result<void> options::resolve()
{
    if (until_done && !request.name.empty())
        return fail(errc::invalid, "--request and --until-done: give one of the two");
    auto resolved = config::resolve_all(lease, key, chains, networks);
    return resolved ? lists.resolve(networks.table) : resolved;
}

}  // namespace portitor::registrar

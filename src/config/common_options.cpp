#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::config {

namespace {

setter set_ether(u256& into)
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

}  // namespace

option namespace_option(std::string& into)
{
    option out{"namespace", "namespace in which Portitor runs", "portitor", set_text(into), false, 'n'};
    out.placeholder = "NAMESPACE";
    return out;
}

option listen_option(std::string& into)
{
    return {"listen", "address of the role's own service", ":8080", set_text(into)};
}

option gate_key_file_option(std::string& into)
{
    option out{
        "gate-key-file",
        "secret of controller and verifier, at least 32 bytes, by which the verifier knows the gateway that "
        "may have credentials; without it nothing is sold that names one. Read again as it changes",
        "",
        set_text(into)};
    out.placeholder = "FILE";
    out.heading = "Gateway";
    return out;
}

option insecure_option(bool& into)
{
    option out{
        "allow-insecure-facilitator",
        "accept facilitators over http, on loopback or in the cluster",
        "false",
        set_bool(into)};
    out.is_switch = true;
    out.heading = "Operator's lists";
    return out;
}

option lease_duration_option(std::chrono::seconds& into)
{
    option out{
        "leader-elect-lease-duration",
        "how long the others leave a leader alone that does not renew its Lease",
        "15s",
        set_seconds(into)};
    out.placeholder = "DURATION";
    out.heading = "Leader election";
    return out;
}

option offer_selector_option(std::string& into)
{
    option out{"offer-selector", "label selector of the offers to act on", "", set_selector(into)};
    out.placeholder = "SELECTOR";
    out.heading = "Controller";
    return out;
}

option deletion_deadline_option(std::chrono::seconds& into)
{
    option out{
        "deletion-deadline",
        "after how long a deleted offer is let go although its registration is not retired, or somebody "
        "else's finalizer holds a child",
        "5m",
        set_seconds(into)};
    out.placeholder = "DURATION";
    out.heading = "Controller";
    return out;
}

option low_balance_option(u256& into)
{
    option out{
        "low-balance",
        "an account that has less sends nothing, in ether (the chain's own coin)",
        "0.001",
        set_ether(into)};
    out.placeholder = "AMOUNT";
    out.heading = "Registrar";
    return out;
}

}  // namespace portitor::config

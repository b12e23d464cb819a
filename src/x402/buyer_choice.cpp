#include <portitor/x402/buyer.hpp>
#include <portitor/x402/words.hpp>

#include <algorithm>

namespace portitor::x402 {

namespace {

result<void>
check_network(const payment_option& option, const spending_rules& rules, const network_table& known)
{
    const auto means_it = [&](const std::string& name) {
        const network* found = known.find(name);
        return (found ? found->caip2 : name) == option.wanted.network;
    };
    if (!rules.networks.empty() && std::none_of(rules.networks.begin(), rules.networks.end(), means_it))
        return fail(errc::refused, "it is on another network than --network allows");
    if (!rules.main_networks && !is_test_network(option.chain_id))
        return fail(
            errc::refused,
            "{} is no test network that is known here, so this may be real money: --allow-mainnet allows it",
            option.wanted.network
        );
    if (rules.in_clear && !rules.main_networks_in_clear && !is_test_network(option.chain_id))
        return fail(
            errc::refused,
            "it may be real money, and over plain http whoever reads along could use the payment: ask by "
            "https; --allow-http pays all the same"
        );
    return {};
}

result<void>
check_amount(const payment_option& option, const spending_rules& rules, const network_table& known)
{
    const network* on = known.find(option.wanted.network);
    const token* paid_in = on ? on->find_token(option.wanted.asset) : nullptr;
    if (!paid_in)
    {
        if (!rules.most_atomic)
            return fail(
                errc::refused,
                "the token is not known here, nor what an amount of it is worth: "
                "--max-atomic-amount says how many of its smallest units may be paid"
            );
        if (option.wanted.amount > *rules.most_atomic)
            return fail(
                errc::refused, "it is more than the {} of --max-atomic-amount", to_string(*rules.most_atomic)
            );
        return {};
    }
    const auto most = atomic_units(rules.most, paid_in->decimals);
    if (!most)
        return most.error().within("--max-amount for " + paid_in->symbol);
    if (option.wanted.amount > *most)
        return fail(errc::refused, "it is more than the {} {} of --max-amount", rules.most, paid_in->symbol);
    return {};
}

}  // namespace

result<const payment_option*>
choose(const offered_terms& terms, const spending_rules& rules, const network_table& known)
{
    std::string why;
    for (const payment_option& each : terms.options)
    {
        auto allowed = check_network(each, rules, known);
        if (allowed)
            allowed = check_amount(each, rules, known);
        if (allowed)
            return &each;
        why += fmt::format(
            "{}{}: {}",
            why.empty() ? "" : "; ",
            amount_in_words(each.wanted.amount, each.wanted.network, each.wanted.asset, known),
            allowed.error().message()
        );
    }
    for (const std::string& each : terms.passed_over)
        why += (why.empty() ? "" : "; ") + each;
    return fail(errc::refused, "nothing is paid: {}", why);
}

}  // namespace portitor::x402

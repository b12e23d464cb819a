#pragma once

#include "cli/command.hpp"
#include "cli/pay/report.hpp"
#include "cli/pay/unpaid.hpp"
#include "cli/sell/answer_verdict.hpp"

#include <portitor/evm/private_key.hpp>

#include <boost/json/object.hpp>

#include <optional>

namespace portitor::cli::sell {

/// What --key-file says; nothing where it is empty. "-" is asked for on a terminal. Blocks.
result<std::optional<evm::private_key>> key_to_pay_with(const std::string& file, const console& terminal);

/// Chooses what to pay, by the rules of `portitor pay`, among what is asked by the offer's own terms: the
/// other options are taken out of `terms`. errc::refused says why nothing is paid.
result<const x402::payment_option*> choose_as_sold(
    x402::offered_terms& terms,
    const expected_answer& expected,
    const x402::spending_rules& rules,
    const x402::network_table& known
);

/// The paid half of `sell test`.
class paid_test
{
public:
    /// @param quiet people do not read along
    paid_test(const roles::process& around, const console& terminal, bool quiet);

    /// Pays once for what `first` asks, or says why not; whether it was served, or had nothing to pay for. An
    /// error: nothing was signed. What is given by reference outlives it.
    /// @param is_good the verdict on `first`: otherwise nothing is paid
    boost::asio::awaitable<result<bool>>
    run(http::client& client,
        evm::private_key key,
        pay::wish what,
        pay::unpaid_answer first,
        bool is_good,
        const expected_answer& expected,
        const x402::spending_rules& rules);

    /// For programs, as `portitor pay -o json` tells it.
    boost::json::object data() const;

private:
    /// @param why in a sentence
    bool nothing_paid(const std::string& why, bool is_good);
    void say(const std::string& line) const;

    const roles::process& around_;
    const console& terminal_;
    const bool quiet_;
    const x402::network_table known_ = x402::network_table::built_in();
    pay::report told_;
};

}  // namespace portitor::cli::sell

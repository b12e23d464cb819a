#include "cli/sell/paid_test.hpp"

#include "cli/output/text.hpp"
#include "cli/pay/key.hpp"
#include "cli/pay/paying.hpp"

#include <algorithm>
#include <ostream>

namespace portitor::cli::sell {

namespace asio = boost::asio;

// A payment is settled before the service answers: that takes longer than an unpaid answer.
constexpr std::chrono::seconds paid_timeout{60};

result<std::optional<evm::private_key>> key_to_pay_with(const std::string& file, const console& terminal)
{
    if (file.empty())
        return std::optional<evm::private_key>();
    auto key = file == "-" && pay::can_prompt(terminal) ? pay::prompt_for_key(terminal)
                                                        : pay::read_key(file, terminal.in);
    if (!key)
        return key.error();
    return std::optional<evm::private_key>(std::move(*key));
}

result<const x402::payment_option*> choose_as_sold(
    x402::offered_terms& terms,
    const expected_answer& expected,
    const x402::spending_rules& rules,
    const x402::network_table& known
)
{
    if (!expected.terms)
        return fail(errc::refused, "nothing is paid: the offer's terms cannot be read");
    std::erase_if(terms.options, [&](const x402::payment_option& each) {
        return !is_as_sold(each.wanted, expected);
    });
    if (terms.options.empty())
        return fail(
            errc::refused,
            "nothing is paid: none of what is asked for has the offer's price, token, network and receiver"
        );
    return x402::choose(terms, rules, known);
}

paid_test::paid_test(const roles::process& around, const console& terminal, bool quiet)
    : around_(around), terminal_(terminal), quiet_(quiet)
{}

asio::awaitable<result<bool>> paid_test::run(
    http::client& client,
    evm::private_key key,
    pay::wish what,
    pay::unpaid_answer first,
    bool is_good,
    const expected_answer& expected,
    const x402::spending_rules& rules
)
{
    told_.what = std::move(what);
    told_.what.timeout = std::max(told_.what.timeout, paid_timeout);
    told_.how = first.how;
    told_.terms = std::move(first.terms);
    told_.answer = std::move(first.answer);
    if (!is_good)
        co_return nothing_paid("nothing is paid: the answer without a payment is not good", false);
    if (told_.answer->result_int() != 402)
        co_return nothing_paid("nothing is paid: the path is free", true);
    if (!told_.terms)
        co_return nothing_paid("nothing is paid: " + first.why, false);
    x402::spending_rules here = rules;
    here.in_clear = is_in_clear(told_.what);
    const auto chosen = choose_as_sold(*told_.terms, expected, here, known_);
    if (!chosen)
        co_return nothing_paid(printable(chosen.error().message(), 4000), false);
    if (around_.stop.requested())
        co_return nothing_paid("nothing is paid: it was told to stop", false);
    told_.chosen = *chosen;
    const std::string words = in_words(**chosen, told_.what, known_);
    warn_of_clear(terminal_.err, told_.what);
    auto paid = co_await pay_chosen(around_, client, std::move(key), told_, [&](const std::string& payer) {
        say(fmt::format("paying {} from {}", words, payer));
    });
    if (!paid)
        co_return paid.error();
    if (!quiet_)
        tell_end(terminal_.out, told_, palette(terminal_.colour));
    co_return told_.how == pay::ending::served;
}

boost::json::object paid_test::data() const
{
    return to_json(told_, known_, {});
}

bool paid_test::nothing_paid(const std::string& why, bool is_good)
{
    told_.why = why;
    say(told_.why);
    return is_good;
}

void paid_test::say(const std::string& line) const
{
    if (!quiet_)
        terminal_.out << line << std::endl;
}

}  // namespace portitor::cli::sell

#include "cli/pay/report.hpp"

#include "cli/output/text.hpp"

#include <portitor/x402/words.hpp>

#include <ostream>

namespace portitor::cli::pay {

namespace {

constexpr std::size_t longest_line = 4000;

std::string amount_of(const x402::payment_option& option, const x402::network_table& known)
{
    const auto& wanted = option.wanted;
    return x402::amount_in_words(wanted.amount, wanted.network, wanted.asset, known);
}

void tell_receipt(std::ostream& out, const report& of)
{
    if (!of.receipt)
    {
        out << "no receipt came with the answer: a gate that Traefik asks by ForwardAuth can give it to the "
               "service only, not to the buyer\n";
        return;
    }
    const x402::receipt& got = *of.receipt;
    if (!got.success)
        out << "the receipt says that the payment did not settle: " << printable(got.reason, 300) << '\n';
    else if (!of.receipt_doubt.empty())
        out << "the receipt is none of this payment: " << printable(of.receipt_doubt, 300) << '\n';
    else
        out << "settled" << (got.transaction.empty() ? "" : " in transaction ")
            << printable(got.transaction, 100) << '\n';
}

}  // namespace

bool report::has_body() const
{
    return answer && (how == ending::free || how == ending::served || how == ending::failed);
}

std::string in_words(const x402::payment_option& option, const wish& what, const x402::network_table& known)
{
    return fmt::format(
        "{} to {} for {}", amount_of(option, known), option.wanted.pay_to, printable(what.url, longest_line)
    );
}

void tell_terms(std::ostream& out, const report& of, const x402::network_table& known)
{
    const x402::offered_terms& terms = *of.terms;
    out << fmt::format("402, x402 v{}: {} asks for\n", terms.version, printable(of.what.url, longest_line));
    for (const x402::payment_option& each : terms.options)
        out << fmt::format(
            "  {} to {}, within {} s{}\n",
            amount_of(each, known),
            each.wanted.pay_to,
            each.wanted.max_timeout_seconds,
            each.wanted.method == x402::transfer_method::permit2 ? ", by Permit2" : ""
        );
    for (const std::string& each : terms.passed_over)
        out << "  passed over: " << printable(each, 300) << '\n';
    if (!terms.options.empty() && !terms.options.front().wanted.description.empty())
        out << "  it is: " << printable(terms.options.front().wanted.description, 300) << '\n';
    if (!terms.error.empty())
        out << "  the server says: " << printable(terms.error, 300) << '\n';
}

void warn_of_clear(std::ostream& err, const wish& what)
{
    if (is_in_clear(what))
        err << "warning: " << printable(what.where.origin.to_string(), longest_line)
            << " is plain http: whoever reads along can use the payment for himself" << std::endl;
}

void tell_end(std::ostream& out, const report& of, const palette& colours)
{
    const bool good = of.how == ending::served || of.how == ending::free;
    if (!of.why.empty())
        out << colours.paint(tone::bad, of.why) << '\n';
    if (good)
        out << colours.paint(
                   tone::good,
                   fmt::format(
                       "{}: status {}, {} bytes",
                       of.how == ending::free ? "served without a payment" : "served",
                       of.answer->result_int(),
                       of.answer->body().size()
                   )
               )
            << '\n';
    if (of.how == ending::served || of.receipt)
        tell_receipt(out, of);
    if (of.tries > 1)
        out << fmt::format("the same payment was sent {} times\n", of.tries);
    if (!of.kept_in.empty())
        out << fmt::format(
            "to ask again with the same payment, which only you can read: portitor pay {} --payment-file {}, "
            "and the same -X, -d and -H\n",
            printable(of.what.url, longest_line),
            of.kept_in
        );
}

std::string printable_body(std::string_view body)
{
    std::string out;
    while (!body.empty())
    {
        const auto end = std::min(body.find('\n'), body.size());
        out += printable(body.substr(0, end), body.size());
        out += '\n';
        body.remove_prefix(std::min(end + 1, body.size()));
    }
    return out;
}

}  // namespace portitor::cli::pay

#include "cli/pay/unpaid.hpp"

#include "cli/output/text.hpp"
#include "cli/pay/exchange.hpp"

#include <portitor/core/deadline.hpp>
#include <portitor/x402/payment_required.hpp>

namespace portitor::cli::pay {

namespace asio = boost::asio;

namespace {

void read_terms_into(unpaid_answer& out, const x402::network_table& known, std::optional<int> version)
{
    if (out.answer.count(x402::payment_required_header) > 1)
    {
        out.why = "the 402 has more than one header PAYMENT-REQUIRED: which of them is meant is not known";
        return;
    }
    const auto header = header_of(out.answer, x402::payment_required_header);
    auto terms = x402::read_terms(header, out.answer.body(), known, version);
    if (!terms)
    {
        out.why = printable(terms.error().message());
        return;
    }
    out.how = ending::terms;
    out.terms = std::move(*terms);
}

}  // namespace

asio::awaitable<result<unpaid_answer>>
ask(http::client& client,
    stop_signal& stop,
    wish what,
    const x402::network_table& known,
    std::optional<int> version)
{
    auto answer =
        co_await unless(stop.wait(), client.send(what.where.origin, request_for(what), options_of(what)));
    if (!answer)
        co_return fail(errc::canceled, "told to stop before an answer came; nothing was paid");
    if (!*answer)
        co_return answer->error();
    unpaid_answer out;
    out.answer = std::move(**answer);
    const unsigned status = out.answer.result_int();
    if (status >= 200 && status < 300)
        out.how = ending::free;
    else if (is_redirect(status))
    {
        out.how = ending::moved;
        out.why = told_of_redirect(out.answer);
    }
    else if (status != 402)
        out.why = fmt::format("the server answered {}{}", status, and_words(out.answer));
    else
        read_terms_into(out, known, version);
    co_return out;
}

}  // namespace portitor::cli::pay

#include "cli/pay/buyer_run.hpp"

#include "cli/output/text.hpp"
#include "cli/pay/exchange.hpp"

#include <portitor/x402/payment_required.hpp>

#include <openssl/rand.h>

namespace portitor::cli::pay {

namespace asio = boost::asio;

const char* to_string(ending how) noexcept
{
    switch (how)
    {
    case ending::terms:
        return "terms";
    case ending::free:
        return "free";
    case ending::served:
        return "served";
    case ending::refused:
        return "refused";
    case ending::used:
        return "used";
    case ending::unknown:
        return "unknown";
    case ending::unsent:
        return "unsent";
    case ending::moved:
        return "moved";
    case ending::failed:
        return "failed";
    }
    return "?";
}

namespace {

void read_terms_into(unpaid_answer& out, const x402::network_table& known, std::optional<int> version)
{
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
ask(http::client& client, wish what, const x402::network_table& known, std::optional<int> version)
{
    auto answer = co_await client.send(what.where.origin, request_for(what), options_of(what));
    if (!answer)
        co_return answer.error();
    unpaid_answer out;
    out.answer = std::move(*answer);
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

result<evm::word> random_nonce()
{
    evm::word out{};
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1)
        return fail(errc::unavailable, "the system gives no random numbers");
    return out;
}

}  // namespace portitor::cli::pay

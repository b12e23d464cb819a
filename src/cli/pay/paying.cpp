#include "cli/pay/paying.hpp"

#include "cli/pay/purchase.hpp"

#include <openssl/rand.h>

#include <unistd.h>

namespace portitor::cli::pay {

namespace asio = boost::asio;

result<evm::word> random_nonce()
{
    evm::word out{};
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1)
        return fail(errc::unavailable, "the system gives no random numbers");
    return out;
}

namespace {

asio::awaitable<void> spend(const roles::process& around, http::client& client, order placed, report& of)
{
    of.payer = placed.payment.payer.to_checksum();
    of.valid_before = placed.payment.valid_before;
    auto bought = co_await buy(client, around.timers, around.stop, placed);
    of.how = bought.how;
    of.why = std::move(bought.why);
    of.answer = std::move(bought.answer);
    of.receipt = std::move(bought.receipt);
    of.tries = bought.tries;
    if (of.receipt)
        of.receipt_doubt = x402::doubt_about(*of.receipt, placed.payment.payer, of.chosen);
}

}  // namespace

asio::awaitable<result<void>> pay_chosen(
    const roles::process& around,
    http::client& client,
    evm::private_key key,
    report& of,
    std::function<void(const std::string& payer)> signed_for
)
{
    const auto nonce = random_nonce();
    if (!nonce)
        co_return nonce.error();
    auto payment = x402::make_payment(*of.terms, *of.chosen, key, around.clock.now(), *nonce);
    {
        // One signature is all that is made.
        const evm::private_key spent = std::move(key);
    }
    if (!payment)
        co_return payment.error();
    signed_for(payment->payer.to_checksum());
    order placed{of.what, std::move(*payment)};
    co_await spend(around, client, placed, of);
    if (is_open(of.how))
    {
        auto kept = keep_payment({of.what.url, of.what.method, placed.payment});
        if (kept)
            of.kept_in = std::move(*kept);
        else
            of.why += "; " + kept.error().message();
    }
    co_return result<void>();
}

asio::awaitable<void> pay_again(
    const roles::process& around,
    http::client& client,
    x402::signed_payment payment,
    std::string file,
    report& of
)
{
    order placed{of.what, std::move(payment), true};
    co_await spend(around, client, placed, of);
    if (of.how == ending::served || of.how == ending::used)
        ::unlink(file.c_str());
    else
        of.kept_in = std::move(file);
}

}  // namespace portitor::cli::pay

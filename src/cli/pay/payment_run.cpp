#include "cli/pay/payment_run.hpp"

#include <portitor/core/small_file.hpp>

namespace portitor::cli::pay {

namespace asio = boost::asio;

result<std::unique_ptr<http::client>>
make_buyer_client(const roles::process& around, const std::string& ca_file)
{
    http::client_settings settings;
    if (!ca_file.empty())
    {
        auto authorities = read_small_file(ca_file);
        if (!authorities)
            return authorities.error().within("--ca-file");
        settings.tls.ca = std::move(*authorities);
    }
    auto client = http::make_client(around.executor, settings);
    return client ? std::move(client) : client.error().within("--ca-file");
}

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
    of.payer = payment->payer.to_checksum();
    of.valid_before = payment->valid_before;
    signed_for(of.payer);
    auto bought = co_await buy(client, around.timers, of.what, std::move(*payment));
    of.how = bought.how;
    of.why = std::move(bought.why);
    of.answer = std::move(bought.answer);
    of.receipt = std::move(bought.receipt);
    of.tries = bought.tries;
    co_return result<void>();
}

}  // namespace portitor::cli::pay

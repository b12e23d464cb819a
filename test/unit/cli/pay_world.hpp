#pragma once

#include "catch.hpp"
#include "cli/pay/purchase.hpp"
#include "cli/pay/unpaid.hpp"
#include "hand_made_process.hpp"

#include <portitor/x402/payment_required.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <deque>
#include <functional>
#include <optional>
#include <vector>

/// A buyer, and a server that a test writes.
namespace portitor::cli::pay::samples {

namespace asio = boost::asio;

/// A server that says what it was told to say, one answer a request.
class scripted_client final : public http::client
{
public:
    std::deque<result<http::response>> script;
    std::vector<http::request> seen;
    std::vector<std::size_t> limits;  ///< of the answer to each
    std::function<void()> on_seen;
    bool fills = false;  ///< answers are as long as they may be

    asio::awaitable<result<http::response>>
    send(http::origin, http::request message, http::client_options options) override
    {
        seen.push_back(std::move(message));
        limits.push_back(options.max_body);
        if (on_seen)
            on_seen();
        if (script.empty())
            co_return fail(errc::protocol, "nothing more was scripted");
        auto next = std::move(script.front());
        script.pop_front();
        if (fills && next)
            next->body() = std::string(options.max_body, 'x');
        co_return next;
    }

    asio::awaitable<result<std::unique_ptr<http::body_stream>>>
    open(http::origin, http::request, http::client_options) override
    {
        co_return fail(errc::protocol, "not scripted");
    }

    result<void> use_tls(const http::tls_settings&) override { return {}; }
};

inline http::response answer(unsigned status, std::string body = {}, std::string_view retry_after = {})
{
    http::response out = http::make_response(static_cast<http::status>(status), std::move(body));
    if (!retry_after.empty())
        out.set(http::field::retry_after, {retry_after.data(), retry_after.size()});
    return out;
}

inline x402::payment_requirement requirement()
{
    const auto known = x402::network_table::built_in();
    const auto* on = known.find("base-sepolia");
    auto out = x402::make_requirement(*on, *on->default_token());
    out.amount = 1000;
    out.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    out.resource_url = "http://shop.test/hello";
    return out;
}

inline http::response terms_answer()
{
    const auto wanted = requirement();
    const auto made = x402::make_payment_required({&wanted, 1}, "payment required");
    http::response out = answer(402, made.body);
    out.set("PAYMENT-REQUIRED", made.header_value);
    return out;
}

struct fixture
{
    test::hand_made_process around;
    scripted_client client;
    wish what = wish_for("http://shop.test/hello").value();
    x402::signed_payment payment{
        x402::payment_header::payment_signature, "c2lnbmVk", evm::address(), 1'795'511'510};

    /// Buys; time passes as soon as somebody waits for it.
    paid_answer bought(patience limits = {})
    {
        std::optional<paid_answer> out;
        const auto work = [&]() -> asio::awaitable<void> {
            auto ended =
                co_await buy(client, around.timers, around.stop, {what, payment, sent_before}, limits);
            out = std::move(ended);
        };
        asio::co_spawn(around.context, work(), asio::detached);
        for (int i = 0; i < 1000 && !out; ++i)
        {
            around.context.restart();
            around.context.poll();
            const auto next = around.timers.next_expiry();
            if (!out && next != timekeeper::time_point::max())
            {
                const auto wait =
                    std::chrono::duration_cast<std::chrono::milliseconds>(next - around.timers.now());
                waited += wait;
                around.timers.advance(wait);
            }
        }
        REQUIRE(out);
        // Whatever happens, it is one payment.
        for (const http::request& each : client.seen)
            CHECK(each["PAYMENT-SIGNATURE"] == "c2lnbmVk");
        return std::move(*out);
    }

    bool sent_before = false;
    std::chrono::milliseconds waited{0};
};

}  // namespace portitor::cli::pay::samples

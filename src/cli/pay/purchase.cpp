#include "cli/output/text.hpp"
#include "cli/pay/buyer_run.hpp"
#include "cli/pay/exchange.hpp"

#include <portitor/http/retry_after.hpp>

#include <algorithm>

namespace portitor::cli::pay {

namespace asio = boost::asio;

namespace {

/// One purchase, try after try.
class purchase
{
public:
    purchase(
        http::client& client,
        timekeeper& timers,
        const wish& what,
        const x402::signed_payment& payment,
        const patience& limits
    )
        : client_(client), timers_(timers), what_(what), payment_(payment), limits_(limits),
          last_start_(timers.now() + limits.in_all)
    {}

    asio::awaitable<paid_answer> run()
    {
        for (;;)
        {
            auto answer = co_await send();
            ++out_.tries;
            const std::optional<std::chrono::seconds> wait = judge(std::move(answer));
            if (!wait)
                break;
            const auto pause = std::min(*wait, limits_.longest_wait);
            if (out_.tries >= limits_.tries || timers_.now() + pause > last_start_)
                break;
            co_await timers_.sleep_for(pause);
        }
        co_return std::move(out_);
    }

private:
    asio::awaitable<result<http::response>> send()
    {
        http::request message = request_for(what_);
        const std::string_view name = x402::name_of(payment_.header);
        message.set({name.data(), name.size()}, payment_.value);
        http::client_options options = options_of(what_);
        // A connection that breaks after this may have brought the payment, whatever the method.
        options.has_effect = true;
        auto answer = co_await client_.send(what_.where.origin, std::move(message), options);
        co_return answer;
    }

    /// Notes what it means. A value: the same payment is worth another try, after so long.
    std::optional<std::chrono::seconds> judge(result<http::response> answer)
    {
        if (!answer)
            return judge_silence(answer.error());
        may_have_arrived_ = true;
        out_.answer = std::move(*answer);
        read_receipt();
        const unsigned status = out_.answer->result_int();
        if (status >= 200 && status < 300)
            return end(ending::served, "");
        if (is_redirect(status))
            return end(ending::moved, told_of_redirect(*out_.answer) + "; " + redeemable());
        switch (status)
        {
        case 402:
            return end(
                ending::refused,
                fmt::format(
                    "the server answered 402 to the payment{}; that says that it did not settle. {}",
                    and_words(*out_.answer),
                    redeemable()
                )
            );
        case 409:
            return end(
                ending::used,
                fmt::format(
                    "the server answered 409: this payment buys nothing (any more){}", and_words(*out_.answer)
                )
            );
        case 429:
        case 502:
        case 503:
            return judge_delay();
        default:
            return end(
                ending::failed,
                fmt::format(
                    "the server answered {} to the payment{}; it may have been charged. {}",
                    status,
                    and_words(*out_.answer),
                    redeemable()
                )
            );
        }
    }

    std::optional<std::chrono::seconds> judge_delay()
    {
        end(ending::unknown,
            fmt::format(
                "the server answered {} to the payment{}; {}",
                out_.answer->result_int(),
                and_words(*out_.answer),
                doubt()
            ));
        if (!header_of(*out_.answer, "Retry-After"))
            return std::nullopt;
        return std::max(http::retry_after(*out_.answer), std::chrono::seconds(1));
    }

    std::optional<std::chrono::seconds> judge_silence(const error& failure)
    {
        out_.answer.reset();
        out_.receipt.reset();
        const bool unsent = failure.code() == errc::unavailable;
        may_have_arrived_ = may_have_arrived_ || !unsent;
        if (!may_have_arrived_)
            end(ending::unsent,
                printable(failure.message()) + ": the payment was not sent, nothing was charged");
        else
            end(ending::unknown, printable(failure.message()) + "; " + doubt());
        // The other methods may do twice what they do.
        const bool safe = what_.method == "GET" || what_.method == "HEAD";
        if (failure.code() == errc::invalid || !(unsent || safe))
            return std::nullopt;
        return std::chrono::seconds(1);
    }

    std::nullopt_t end(ending how, std::string why)
    {
        out_.how = how;
        out_.why = std::move(why);
        return std::nullopt;
    }

    void read_receipt()
    {
        out_.receipt.reset();
        for (const int version : {2, 1})
            if (const auto value = header_of(*out_.answer, x402::receipt_header(version));
                value && !out_.receipt)
                if (auto read = x402::read_receipt(*value))
                    out_.receipt = std::move(*read);
    }

    std::string valid_until() const
    {
        return to_rfc3339(clock::time_point(
            std::chrono::seconds(static_cast<std::chrono::seconds::rep>(payment_.valid_before))
        ));
    }

    /// No promise of a server changes what was signed.
    std::string redeemable() const
    {
        return fmt::format("The signed payment could be redeemed until {}", valid_until());
    }

    std::string doubt() const
    {
        return fmt::format(
            "it is not known whether the payment settled. No second one was signed; pay again only when it "
            "has ended ({}) and your balance has not changed",
            valid_until()
        );
    }

    http::client& client_;
    timekeeper& timers_;
    const wish& what_;
    const x402::signed_payment& payment_;
    const patience limits_;
    const timekeeper::time_point last_start_;
    bool may_have_arrived_ = false;
    paid_answer out_;
};

}  // namespace

asio::awaitable<paid_answer>
buy(http::client& client, timekeeper& timers, wish what, x402::signed_payment payment, patience limits)
{
    purchase work(client, timers, what, payment, limits);
    auto ended = co_await work.run();
    co_return ended;
}

}  // namespace portitor::cli::pay

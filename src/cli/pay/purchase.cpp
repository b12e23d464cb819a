#include "cli/pay/purchase.hpp"

#include "cli/output/text.hpp"
#include "cli/pay/exchange.hpp"

#include <portitor/core/deadline.hpp>
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
        stop_signal& stop,
        const order& placed,
        const patience& limits
    )
        : client_(client), timers_(timers), stop_(stop), what_(placed.what), payment_(placed.payment),
          limits_(limits), last_start_(timers.now() + limits.in_all), may_have_arrived_(placed.sent_before)
    {}

    asio::awaitable<paid_answer> run()
    {
        for (;;)
        {
            auto answer = co_await unless(stop_.wait(), send());
            ++out_.tries;
            const auto wait = answer ? judge(std::move(*answer)) : judge_interruption();
            if (!wait)
                break;
            const auto pause = std::min(*wait, limits_.longest_wait);
            if (out_.tries >= limits_.tries || timers_.now() + pause > last_start_ || left_ == 0)
                break;
            const auto slept = co_await unless(stop_.wait(), sleep(pause));
            if (!slept)
            {
                out_.why = "told to stop: " + out_.why;
                break;
            }
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
        options.max_body = left_;
        auto answer = co_await client_.send(what_.where.origin, std::move(message), options);
        co_return answer;
    }

    asio::awaitable<bool> sleep(std::chrono::seconds pause)
    {
        co_await timers_.sleep_for(pause);
        co_return true;
    }

    /// Notes what it means. A value: the same payment is worth another try, after so long.
    std::optional<std::chrono::seconds> judge(result<http::response> answer)
    {
        if (!answer)
            return judge_silence(answer.error());
        may_have_arrived_ = true;
        out_.answer = std::move(*answer);
        left_ -= std::min(left_, out_.answer->body().size());
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
                    "the server answered 409: this payment buys nothing (any more){}. {}",
                    and_words(*out_.answer),
                    redeemable()
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

    std::optional<std::chrono::seconds> judge_interruption()
    {
        out_.answer.reset();
        out_.receipt.reset();
        return end(ending::unknown, "told to stop before an answer came: " + doubt());
    }

    std::optional<std::chrono::seconds> judge_silence(const error& failure)
    {
        out_.answer.reset();
        out_.receipt.reset();
        // How much of the answer came before it broke is not known here.
        if (failure.code() != errc::unavailable)
            left_ /= 2;
        const bool unsent = failure.code() == errc::unavailable;
        may_have_arrived_ = may_have_arrived_ || !unsent;
        if (!may_have_arrived_)
            end(ending::unsent,
                printable(failure.message()) + ": the payment was not sent, nothing was charged");
        else
            end(ending::unknown, printable(failure.message()) + "; " + doubt());
        // The other methods may do twice what they do.
        const bool safe = what_.method == "GET" || what_.method == "HEAD";
        // Nor is an answer any better the second time that cannot be read or is too long.
        const bool answered = failure.code() == errc::invalid || failure.code() == errc::protocol;
        if (answered || !(unsent || safe))
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
        {
            const std::string_view name = x402::receipt_header(version);
            const auto value = header_of(*out_.answer, name);
            // Of two, who could say which is meant?
            if (!value || out_.receipt || out_.answer->count({name.data(), name.size()}) > 1)
                continue;
            if (auto read = x402::read_receipt(*value))
                out_.receipt = std::move(*read);
        }
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
    stop_signal& stop_;
    const wish& what_;
    const x402::signed_payment& payment_;
    const patience limits_;
    const timekeeper::time_point last_start_;
    bool may_have_arrived_;
    std::size_t left_ = max_answer;  ///< how much all further answers may have
    paid_answer out_;
};

}  // namespace

asio::awaitable<paid_answer>
buy(http::client& client, timekeeper& timers, stop_signal& stop, order placed, patience limits)
{
    purchase work(client, timers, stop, placed, limits);
    auto ended = co_await work.run();
    co_return ended;
}

}  // namespace portitor::cli::pay

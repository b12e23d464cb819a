#pragma once

#include "catch.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/x402/gate.hpp>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <deque>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

/// A gate between a scripted facilitator and, where a test wants one, a scripted chain.
namespace portitor::x402::samples {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// Answers by script; an unscripted question, or one marked `throws`, throws. While held, answers wait for
// go().
class scripted_facilitator final : public facilitator_client
{
public:
    explicit scripted_facilitator(asio::io_context& context) : hold_(context) { go(); }

    std::deque<verify_outcome> verifies;
    std::deque<settle_outcome> settles;
    int verified = 0;
    int settled = 0;
    bool throws = false;
    std::vector<milliseconds> timeouts;
    std::vector<std::string> payloads;
    std::vector<std::string> urls;
    std::vector<u256> amounts;

    void hold() { hold_.expires_at(std::chrono::steady_clock::time_point::max()); }
    void go() { hold_.expires_at(std::chrono::steady_clock::time_point::min()); }
    // Verifications pass all the same.
    void hold_settlements()
    {
        verify_passes_ = true;
        hold();
    }

    asio::awaitable<verify_outcome> verify(
        std::string, const payment&, const payment_requirement&, facilitator_caller, milliseconds timeout
    ) override
    {
        ++verified;
        timeouts.push_back(timeout);
        if (!verify_passes_)
            co_await held();
        co_return next(verifies);
    }

    asio::awaitable<settle_outcome> settle(
        std::string url,
        const payment& offered,
        const payment_requirement& wanted,
        facilitator_caller,
        milliseconds timeout
    ) override
    {
        ++settled;
        urls.push_back(std::move(url));
        amounts.push_back(wanted.amount);
        timeouts.push_back(timeout);
        payloads.push_back(offered.text);
        co_await held();
        co_return next(settles);
    }

private:
    asio::awaitable<void> held()
    {
        boost::system::error_code ignored;
        co_await hold_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }

    template <typename T>
    T next(std::deque<T>& script)
    {
        if (throws || script.empty())
            throw std::runtime_error("unscripted");
        T outcome = std::move(script.front());
        script.pop_front();
        return outcome;
    }

    asio::steady_timer hold_;
    bool verify_passes_ = false;
};

// Finds what the script says; once that is empty, the same again.
class scripted_chain final : public settlement_chain
{
public:
    std::deque<settlement_finding> findings;
    int asked = 0;
    std::vector<milliseconds> timeouts;

    asio::awaitable<settlement_finding>
    find(const payment&, const payment_requirement&, std::uint64_t, milliseconds timeout) override
    {
        ++asked;
        timeouts.push_back(timeout);
        settlement_finding out = findings.at(0);
        if (findings.size() > 1)
            findings.pop_front();
        co_return out;
    }

    asio::awaitable<result<bool>> has_code(std::string, evm::address, milliseconds) override
    {
        co_return fail(errc::not_found, "no node");
    }
};

inline settlement_finding finding(settlement_state state)
{
    settlement_finding out;
    out.state = state;
    if (state == settlement_state::settled)
        out.transaction = "0xc4a1";
    if (state == settlement_state::cannot_tell)
        out.why = "the node is away";
    return out;
}

inline error down(errc code = errc::timed_out)
{
    return {code, "no answer"};
}

inline settle_outcome success()
{
    json::object receipt;
    receipt["success"] = true;
    receipt["transaction"] = "0xe16d";
    return settle_settled("0xe16d", receipt);
}

// One request under way.
struct request
{
    std::optional<verdict> made;
    bool done = false;
    std::exception_ptr failure;
    asio::cancellation_signal signal;
};

struct fixture
{
    asio::io_context context;
    manual_clock time;
    scripted_facilitator facilitator{context};
    std::shared_ptr<claim_table> claims = std::make_shared<claim_table>();
    gate_limits limits;
    scripted_chain chain;
    gate engine{facilitator, claims, time, limits};
    gate asking{facilitator, claims, time, limits, &chain};  // the same with a chain
    bool with_chain = false;
    payment offered = decode_v2(v2_payment(usdc_requirement())).value();
    payment_requirement wanted = usdc_requirement();
    claim_binding binding{"demo/hello", "GET", "/services/hello"};
    milliseconds deadline{20'000};
    std::list<request> requests;

    void poll()
    {
        context.restart();
        context.poll();
    }

    request& start()
    {
        request& one = requests.emplace_back();
        asio::co_spawn(
            context,
            (with_chain ? asking : engine)
                .pay(offered, wanted, "https://f.test", binding, std::chrono::steady_clock::now() + deadline),
            asio::bind_cancellation_slot(
                one.signal.slot(),
                [&one](std::exception_ptr failure, verdict made) {
                    one.done = true;
                    one.failure = failure;
                    one.made.emplace(std::move(made));
                }
            )
        );
        poll();
        return one;
    }

    verdict pay() { return await(start()); }

    verdict await(request& one)
    {
        context.restart();
        for (int i = 0; i < 50 && !one.done; ++i)
            context.run_one_for(milliseconds(100));
        REQUIRE(one.done);
        REQUIRE_FALSE(one.failure);
        return *one.made;
    }

    // What is known of the payment, on whatever terms.
    std::optional<verdict> pay_known()
    {
        return portitor::test::run(
            context,
            (with_chain ? asking : engine)
                .pay_known(
                    offered,
                    keys_of(offered, networks()),
                    binding,
                    std::chrono::steady_clock::now() + deadline
                )
        );
    }

    // The state of the claim, as begin() tells it; changes nothing that a test looks at later.
    claim_step state()
    {
        claim_binding whole = binding;
        whole.seal(offered);
        return claims->begin(key(), whole, offered.valid_before, time.now()).step;
    }
    claim_key key() const { return key_of(offered, wanted); }
};

template <typename T>
const T& expect(const verdict& made)
{
    INFO("verdict " << made.index());
    if (const auto* unavailable = std::get_if<verdict_unavailable>(&made))
        INFO(unavailable->why);
    REQUIRE(std::holds_alternative<T>(made));
    return std::get<T>(made);
}

inline unavailable_cause expect_unavailable(const verdict& made)
{
    const auto& unavailable = expect<verdict_unavailable>(made);
    CHECK(unavailable.retry_after > std::chrono::seconds(0));
    return unavailable.cause;
}

}  // namespace portitor::x402::samples

#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"
#include "signing.hpp"

#include <portitor/x402/account_memory.hpp>
#include <portitor/x402/signature_judge.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <optional>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace asio = boost::asio;
using namespace std::chrono_literals;

namespace {

// A node that is asked about accounts; while held, it does not answer.
class scripted_chain final : public settlement_chain
{
public:
    explicit scripted_chain(asio::io_context& context) : hold_(context) { go(); }

    result<bool> answer = false;
    int questions = 0;

    void hold() { hold_.expires_at(std::chrono::steady_clock::time_point::max()); }
    void go() { hold_.expires_at(std::chrono::steady_clock::time_point::min()); }

    asio::awaitable<settlement_finding>
    find(const payment&, const payment_requirement&, std::uint64_t, std::chrono::milliseconds) override
    {
        co_return settlement_finding();
    }

    asio::awaitable<result<bool>> has_code(std::string, evm::address, std::chrono::milliseconds) override
    {
        ++questions;
        boost::system::error_code ignored;
        co_await hold_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
        result<bool> out = answer;
        co_return out;
    }

private:
    asio::steady_timer hold_;
};

struct fixture
{
    asio::io_context context;
    portitor::test::manual_timekeeper time;
    scripted_chain chain{context};
    account_memory_limits limits;
    std::optional<account_memory> made;

    account_memory& memory()
    {
        if (!made)
            made.emplace(chain, time, limits);
        return *made;
    }

    static evm::address account(unsigned number)
    {
        evm::address::bytes_type bytes{};
        bytes[18] = static_cast<std::uint8_t>(number >> 8U);
        bytes[19] = static_cast<std::uint8_t>(number);
        return evm::address(bytes);
    }

    // "code", "none" or the failure.
    std::string ask(unsigned number, const std::string& tenant = "shop")
    {
        const auto told =
            portitor::test::run(context, memory().has_code("eip155:1", account(number), tenant));
        if (told.has_value())
            return *told ? "code" : "none";
        return to_string(told.error().code());
    }
};

}  // namespace

TEST_CASE("a question may be destroyed with its executor, after the memory", "[x402][accounts]")
{
    portitor::test::manual_timekeeper time;
    auto context = std::make_unique<asio::io_context>();
    auto chain = std::make_unique<scripted_chain>(*context);
    auto memory = std::make_unique<account_memory>(*chain, time);
    chain->hold();
    // The second one waits for the first one's answer.
    for (int i = 0; i < 2; ++i)
        asio::co_spawn(*context, memory->has_code("eip155:1", fixture::account(1), "shop"), asio::detached);
    context->poll();
    CHECK(chain->questions == 1);
    memory.reset();
    chain.reset();
    context.reset();
}

TEST_CASE("an account is asked about once, until it may have changed", "[x402][accounts]")
{
    fixture f;
    for (int i = 0; i < 20; ++i)
        CHECK(f.ask(1) == "none");
    CHECK(f.chain.questions == 1);
    // It may be deployed meanwhile.
    f.chain.answer = true;
    f.time.advance(29s);
    CHECK(f.ask(1) == "none");
    f.time.advance(1s);
    CHECK(f.ask(1) == "code");
    f.time.advance(3'599s);
    CHECK(f.ask(1) == "code");
    CHECK(f.chain.questions == 2);
    f.chain.answer = false;
    f.time.advance(1s);
    CHECK(f.ask(1) == "none");
    CHECK(f.chain.questions == 3);
    CHECK(f.memory().size() == 1);
}

TEST_CASE("who asks about one account at once shares one question", "[x402][accounts]")
{
    fixture f;
    f.chain.hold();
    f.chain.answer = true;
    std::vector<bool> told;
    for (int i = 0; i < 50; ++i)
        asio::co_spawn(
            f.context,
            f.memory().has_code("eip155:1", fixture::account(1), "shop"),
            [&told](const std::exception_ptr&, const result<bool>& said) {
                told.push_back(said.has_value() && *said);
            }
        );
    f.context.restart();
    f.context.poll();
    CHECK(told.empty());
    f.chain.go();
    f.context.restart();
    f.context.poll();
    CHECK(f.chain.questions == 1);
    CHECK(told == std::vector<bool>(50, true));
}

TEST_CASE("a node that is slow for one tenant is still asked for others", "[x402][accounts]")
{
    fixture f;
    f.chain.hold();
    for (unsigned i = 0; i < 16; ++i)
    {
        asio::co_spawn(
            f.context,
            f.memory().has_code("eip155:1", fixture::account(i), "shop"),
            [](const std::exception_ptr&, const result<bool>&) {}
        );
        f.context.restart();
        f.context.poll();
    }
    CHECK(f.chain.questions == 8);
    f.chain.go();
    CHECK(f.ask(100, "other") == "none");
}

TEST_CASE("failures are not remembered", "[x402][accounts]")
{
    fixture f;
    f.chain.answer = fail(errc::timed_out, "no answer");
    CHECK(f.ask(1) == "timed_out");
    f.chain.answer = true;
    CHECK(f.ask(1) == "code");
}

TEST_CASE("what is not a question to a node takes none of its time", "[x402][accounts]")
{
    fixture f;
    f.chain.answer = fail(errc::not_found, "no node");
    for (unsigned i = 0; i < 500; ++i)
        CHECK(f.ask(i) == "not_found");
}

TEST_CASE("strangers' accounts exhaust the questions of a moment and not the memory", "[x402][accounts]")
{
    fixture f;
    f.chain.answer = true;
    CHECK(f.ask(9'999) == "code");
    f.chain.answer = false;
    f.time.advance(10s);
    // One tenant's strangers have half of the questions.
    unsigned asked = 0;
    for (unsigned i = 0; i < 1'000; ++i)
        asked += f.ask(i) == "none" ? 1 : 0;
    CHECK(asked == 20);
    CHECK(f.ask(2'000) == "unavailable");
    // Others, and who is known, are served all the while.
    CHECK(f.ask(2'000, "other") == "none");
    CHECK(f.ask(9'999) == "code");
    CHECK(f.ask(0) == "none");
    f.time.advance(100ms);
    CHECK(f.ask(2'001) == "none");
    CHECK(f.ask(2'002) == "unavailable");

    // Who had code is let through rather than held up, while nobody can be asked.
    f.time.advance(3'600s);
    for (unsigned i = 0; i < 1'000; ++i)
        f.ask(i);
    const int before = f.chain.questions;
    CHECK(f.ask(9'999) == "code");
    CHECK(f.chain.questions == before);
}

TEST_CASE("no more accounts are remembered than there is room for", "[x402][accounts]")
{
    fixture f;
    f.limits.accounts = 8;
    f.limits.questions_at_once = 1'000;
    f.chain.answer = true;
    CHECK(f.ask(5'000) == "code");
    f.chain.answer = false;
    for (unsigned i = 0; i < 100; ++i)
        CHECK(f.ask(i) == "none");
    CHECK(f.memory().size() == 9);
    // Strangers push no contract out.
    const int before = f.chain.questions;
    CHECK(f.ask(5'000) == "code");
    CHECK(f.chain.questions == before);
}

namespace {

struct judged : fixture
{
    json::object message = v2_payment(usdc_requirement());
    payment_requirement wanted = usdc_requirement();
    bool node = true;

    signature_decision judge(std::optional<payment> of = std::nullopt)
    {
        if (!of)
            of = decode_v2(message).value();
        const signature_judge judging(context.get_executor(), node ? &memory() : nullptr, networks());
        return portitor::test::run(context, judging.judge(*of, wanted, "shop"));
    }

    payment with_signature(std::size_t size, std::string_view end = {})
    {
        payment out = decode_v2(message).value();
        out.signature.assign(size, 0x11);
        for (std::size_t i = 0; i + 1 < end.size(); i += 2)
            out.signature.push_back(end[i] == '6' ? 0x64 : 0x92);
        return out;
    }
};

using standing = signature_standing;

}  // namespace

TEST_CASE("an account's own signature needs no node", "[x402][signature]")
{
    judged f;
    sign(f.message, f.wanted);
    CHECK(f.judge().standing == standing::proven);
    CHECK(f.chain.questions == 0);
}

TEST_CASE(
    "a signature for another token of the network may be on record and pays nothing", "[x402][signature]"
)
{
    judged f;
    sign(f.message, f.wanted);
    f.wanted.asset = seller;
    f.wanted.asset_name = "Another";
    const signature_decision said = f.judge();
    CHECK(said.standing == standing::other_terms);
    CHECK(said.why.code == "invalid_exact_evm_payload_signature");
    // Today's network may be another one, too.
    f.wanted.network = "eip155:8453";
    CHECK(f.judge().standing == standing::other_terms);
    CHECK(f.chain.questions == 0);
}

TEST_CASE("who has no code cannot have signed with more than 65 bytes", "[x402][signature]")
{
    for (const std::size_t size : {std::size_t(65), std::size_t(66), std::size_t(130), std::size_t(1'000)})
    {
        INFO(size);
        judged f;
        CHECK(f.judge(f.with_signature(size)).standing == standing::refused);
        CHECK(f.chain.questions == 1);
        judged g;
        g.chain.answer = true;
        CHECK(g.judge(g.with_signature(size)).standing == standing::unproven);
    }
}

TEST_CASE("without a node only a facilitator can judge long signatures", "[x402][signature]")
{
    judged f;
    f.chain.answer = fail(errc::not_found, "no node");
    for (const bool node : {true, false})
    {
        f.node = node;
        CHECK(f.judge(f.with_signature(66)).standing == standing::unproven);
        CHECK(f.judge(f.with_signature(65)).standing == standing::refused);
    }
}

TEST_CASE("a wallet that is not deployed yet is left to the facilitator", "[x402][signature]")
{
    std::string end;
    for (int i = 0; i < 16; ++i)
        end += "6492";
    judged f;
    CHECK(f.judge(f.with_signature(100, end)).standing == standing::unproven);
    CHECK(f.chain.questions == 0);
    end.resize(end.size() - 4);
    CHECK(f.judge(f.with_signature(100, end)).standing == standing::refused);
}

TEST_CASE("nobody is refused because a node does not answer", "[x402][signature]")
{
    judged f;
    f.chain.answer = fail(errc::timed_out, "no answer");
    const signature_decision said = f.judge(f.with_signature(65));
    CHECK(said.standing == standing::ask_later);
    CHECK(said.retry_after == 5s);
    CHECK(said.failure == "no answer");
    judged busy;
    busy.limits.questions_at_once = 1;
    busy.ask(1);
    CHECK(busy.judge(busy.with_signature(65)).retry_after == 1s);
}

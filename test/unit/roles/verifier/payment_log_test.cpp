#include "roles/verifier/line_budget.hpp"
#include "roles/verifier/payment_log.hpp"
#include "roles/verifier/payment_metrics.hpp"
#include "verifier_world.hpp"

using namespace portitor;
using namespace portitor::route;
using namespace portitor::verifier;
using namespace portitor::verifier::samples;

namespace {

std::size_t lines(const std::string& text, std::string_view with = "")
{
    std::size_t out = 0;
    std::stringstream all(text);
    for (std::string line; std::getline(all, line);)
        out += line.find(with) != std::string::npos ? 1 : 0;
    return out;
}

struct logged_desk : desk
{
    logged_desk()
        : desk(
              "",
              {},
              log_level::info,
              [log = payment_log(logger(log_level::info, log_format::json))](const auto& told) {
                  log.write(told);
              }
          )
    {}

    http::response pay(unsigned number, bool delivered = true)
    {
        return ask(
            top,
            {{"X-PAYMENT", x402::samples::encode(v1_message(number))}, {"X-Request-Id", "req-7"}},
            delivered
        );
    }
};

}  // namespace

TEST_CASE("one line tells of each settled payment what a complaint needs", "[verifier][log]")
{
    logged_desk d;
    const captured_log log;
    check_granted(d.pay(1), v2_payer);
    check_refused(d.pay(1), http::status::conflict, "payment_already_used");
    const std::string text = log.text();
    CHECK(lines(text) == 1);
    const json::object line = json::parse(text).as_object();
    CHECK(line.at("msg") == "a payment was settled, and its answer delivered");
    CHECK(line.at("level") == "info");
    const std::pair<const char*, std::string> fields[] = {
        {"route", "shop/hello"},
        {"method", "GET"},
        {"uri", top},
        {"payer", v2_payer},
        {"amount", "10000"},
        {"asset", "0x036CbD53842c5426634e7929541eC2318f3dCF7e"},
        {"network", "eip155:84532"},
        {"nonce", fmt::format("0x{:064x}", 1)},
        {"transaction", "0xe16d"},
        {"request_id", "req-7"},
    };
    for (const auto& [name, value] : fields)
    {
        INFO(name);
        CHECK(json::value_to<std::string>(line.at(name)) == value);
    }
    // Nothing that could be used.
    const std::string signature = json::value_to<std::string>(v1_message(1).at("payload").at("signature"));
    CHECK(text.find(signature.substr(2)) == std::string::npos);
    CHECK(text.find(x402::samples::encode(v1_message(1))) == std::string::npos);
}

TEST_CASE("a lost answer is told once, however often it is lost", "[verifier][log]")
{
    logged_desk d;
    const captured_log log;
    for (int i = 0; i < 5; ++i)
        check_granted(d.pay(1, false), v2_payer);
    check_granted(d.pay(1), v2_payer);
    CHECK(lines(log.text(), "its answer not delivered yet") == 1);
    CHECK(lines(log.text(), "its answer delivered") == 1);
    CHECK(lines(log.text()) == 2);
}

TEST_CASE("refused payments write no line, and those without a verdict not one each", "[verifier][log]")
{
    logged_desk d;
    const captured_log log;
    d.facilitator.verify_answer = x402::verify_invalid("insufficient_funds");
    for (unsigned i = 1; i <= 20; ++i)
        CHECK(d.pay(i).result() == http::status::payment_required);
    CHECK(lines(log.text()) == 0);
    d.facilitator.verify_answer = x402::verify_unavailable(error(errc::timed_out, "no answer"));
    for (unsigned i = 1; i <= 50; ++i)
        CHECK(d.pay(i).result() == http::status::service_unavailable);
    const std::size_t written = lines(log.text(), "no verdict on a payment");
    CHECK(written >= 10);
    CHECK(written < 20);
}

TEST_CASE("what is left at the end is told, one line each", "[verifier][log]")
{
    logged_desk d;
    const captured_log log;
    d.facilitator.settle_answer = x402::settle_unknown(error(errc::timed_out, "no answer"));
    d.pay(1);
    d.facilitator.settle_answer = fake_facilitator::settled();
    check_granted(d.pay(2, false), v2_payer);
    check_granted(d.pay(3), v2_payer);
    test::run(d.context, d.engine.finish(d.timers.now() + std::chrono::seconds(1)));
    CHECK(lines(log.text(), "a payment is left without a delivered answer") == 2);
    CHECK(lines(log.text(), "\"state\":\"unknown\"") == 1);
    CHECK(lines(log.text(), "\"state\":\"settled\"") == 1);
}

TEST_CASE("an odd request id is left out", "[verifier][log]")
{
    for (const std::string& id : {std::string(65, 'x'), std::string("a\tb"), std::string("\xc3\xa9")})
    {
        logged_desk d;
        const captured_log log;
        const header_list more{{"X-PAYMENT", x402::samples::encode(v1_message(1))}, {"X-Request-Id", id}};
        check_granted(d.ask(top, more), v2_payer);
        CHECK(json::parse(log.text()).at("request_id") == "");
    }
}

TEST_CASE("a few lines go at once, and then one a second", "[verifier][log]")
{
    using std::chrono::milliseconds;
    line_budget budget;
    line_budget::time_point now = std::chrono::steady_clock::now();
    int written = 0;
    for (int i = 0; i < 100; ++i)
        written += budget.take(now) == std::uint64_t{0} ? 1 : 0;
    CHECK(written == 10);
    CHECK_FALSE(budget.take(now + milliseconds(900)));
    CHECK(budget.take(now + milliseconds(1'000)) == std::uint64_t{91});
    CHECK_FALSE(budget.take(now + milliseconds(1'900)));
    CHECK(budget.take(now + milliseconds(2'000)) == std::uint64_t{1});
    now += std::chrono::hours(1);
    written = 0;
    for (int i = 0; i < 100; ++i)
        written += budget.take(now).has_value() ? 1 : 0;
    CHECK(written == 10);
}

TEST_CASE("how full the record of payments is, and that it is there", "[verifier][log]")
{
    counter_side side;
    const steady_timekeeper time;
    x402::guarded_facilitator guard(side.facilitator, time);
    metrics numbers;
    ledger::limits bounds;
    bounds.max_open = 100;
    const auto store = ledger::memory_ledger(side.time, side.timers, bounds).open();
    payment_metrics shown(numbers, side.engine, *store, guard, {});
    const auto value_of = [&](const std::string& name) {
        shown.publish(!store->away());
        const std::string page = "\n" + numbers.expose();
        const std::size_t at = page.find("\n" + name + " ") + name.size() + 2;
        return page.substr(at, page.find('\n', at) - at);
    };
    CHECK(value_of("portitor_payments_open_percent") == "0");
    CHECK(value_of("portitor_ledger_up") == "1");
    CHECK(value_of("portitor_ledger_unwritten") == "0");
    for (int i = 0; i < 50; ++i)
    {
        x402::new_payment what;
        what.key = {"eip155:84532", "0xa", fmt::format("0x{}", i), "0x1"};
        what.valid_before = x402::samples::now_seconds + 60;
        what.terms = std::make_shared<const x402::payment_terms>();
        test::run(side.context, store->begin(std::move(what)));
    }
    CHECK(value_of("portitor_payments_open_percent") == "50");
    CHECK(value_of("portitor_payments_open{state=\"reserved\"}") == "50");
    CHECK(numbers.expose().find("state=\"delivered\"") == std::string::npos);
}

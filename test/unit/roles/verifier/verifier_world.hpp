#pragma once

#include "../../route/route_objects.hpp"
#include "../../x402/samples.hpp"
#include "../../x402/signing.hpp"
#include "catch.hpp"
#include "files.hpp"
#include "roles/verifier/fronts/forward_auth.hpp"
#include "route/credentials.hpp"
#include "route/gate_keys.hpp"
#include "run.hpp"

#include <portitor/ledger/memory_ledger.hpp>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/parser.hpp>

#include <fcntl.h>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

/// The verifier between a gateway and a facilitator that both say what a test wants.
namespace portitor::verifier::samples {

namespace asio = boost::asio;
namespace json = boost::json;

using header_list = std::vector<std::pair<std::string, std::string>>;
using std::chrono::milliseconds;

using route::samples::compile;
using route::samples::facilitator_url;
using route::samples::route_object;
using route::samples::route_of;

using route::samples::top;

/// Says to every payment what a test last wrote here. On the thread of its context.
class fake_facilitator final : public x402::facilitator_client
{
public:
    explicit fake_facilitator(asio::io_context& context) : context_(context) {}

    x402::verify_outcome verify_answer = x402::verify_valid();
    x402::settle_outcome settle_answer = settled();
    milliseconds delay{0};
    bool verify_throws = false;
    bool settle_throws = false;
    std::function<void()> on_settle;
    int verifies = 0;
    int settles = 0;
    std::vector<std::string> urls;
    std::vector<u256> amounts;

    static x402::settle_outcome settled()
    {
        json::object receipt{{"success", true}, {"transaction", "0xe16d"}, {"network", "eip155:84532"}};
        return x402::settle_settled("0xe16d", std::move(receipt));
    }

    asio::awaitable<x402::verify_outcome> verify(
        std::string url,
        const x402::payment&,
        const x402::payment_requirement& wanted,
        x402::facilitator_caller,
        milliseconds
    ) override
    {
        ++verifies;
        note(std::move(url), wanted);
        co_await wait();
        if (verify_throws)
            throw std::runtime_error("the facilitator's client has a fault");
        co_return verify_answer;
    }

    asio::awaitable<x402::settle_outcome> settle(
        std::string url,
        const x402::payment&,
        const x402::payment_requirement& wanted,
        x402::facilitator_caller,
        milliseconds
    ) override
    {
        ++settles;
        note(std::move(url), wanted);
        co_await wait();
        if (on_settle)
            on_settle();
        if (settle_throws)
            throw std::runtime_error("the facilitator's client has a fault");
        co_return settle_answer;
    }

    int calls() const { return verifies + settles; }

private:
    void note(std::string url, const x402::payment_requirement& wanted)
    {
        urls.push_back(std::move(url));
        amounts.push_back(wanted.amount);
    }

    asio::awaitable<void> wait()
    {
        asio::steady_timer timer(context_, delay);
        co_await timer.async_wait(asio::use_awaitable);
    }

    asio::io_context& context_;
};

/// Knows the accounts that have code, and nothing else.
class fake_chain final : public x402::settlement_chain
{
public:
    std::set<evm::address> contracts;
    milliseconds delay{0};
    bool away = false;
    bool throws = false;
    int asked = 0;
    std::vector<std::string> networks;

    asio::awaitable<x402::settlement_finding>
    find(const x402::payment&, const x402::payment_requirement&, std::uint64_t, milliseconds) override
    {
        co_return x402::settlement_finding();
    }

    asio::awaitable<result<bool>> has_code(std::string network, evm::address account, milliseconds) override
    {
        ++asked;
        networks.push_back(std::move(network));
        asio::steady_timer timer(co_await asio::this_coro::executor, delay);
        co_await timer.async_wait(asio::use_awaitable);
        if (throws)
            throw std::runtime_error("the chain's client has a fault");
        if (away)
            co_return fail(errc::timed_out, "no answer");
        co_return contracts.contains(account);
    }
};

/// A real X-PAYMENT header of the official v1 client, good for 10000 atomic units.
inline std::string real_v1()
{
    static const json::value all = x402::samples::load("headers.json");
    std::vector<std::string> found;
    for (const json::value& each : all.at("headers").as_array())
    {
        if (each.at("header") == "X-PAYMENT")
            found.emplace_back(each.at("value").as_string());
    }
    return found.at(0);
}

/// A v1 payment of 10000 atomic units by the samples' payer, signed by `by`, with a nonce of its own.
inline json::object v1_message(unsigned number, const evm::account& by = x402::samples::payer_account())
{
    json::object message = x402::samples::v1_payment();
    x402::samples::at(message, "payload/authorization/nonce") = fmt::format("0x{:064x}", number);
    x402::samples::sign(message, x402::samples::usdc_requirement(), by);
    return message;
}

/// Not the key of the samples' payer.
inline const evm::account& stranger()
{
    static const evm::account made("0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a");
    return made;
}

inline json::value decoded(std::string_view base64)
{
    return json::parse(x402::decode_base64(base64).value());
}

/// The gate key of the samples' verifiers, and where the Middleware of an offer then asks.
inline const std::string gate_secret(32, 'k');
inline std::string
own_target(std::string_view ns = "shop", std::string_view offer = "hello", std::string_view uid = "u1")
{
    const auto key = api::gate_key::make(gate_secret).value();
    return api::gate_address("", ns, offer, key.token_for(ns, offer, uid));
}

/// What the gateway asks, to be spoiled.
struct question
{
    explicit question(std::string_view uri, header_list more = {}, std::string_view where = own_target())
        : target(where), headers{
                             {"X-Forwarded-Uri", std::string(uri)},
                             {"X-Forwarded-Method", "GET"},
                             {"X-Forwarded-Host", "api.example.com"},
                             {"X-Forwarded-Proto", "http"},
                         }
    {
        headers.insert(headers.end(), more.begin(), more.end());
    }

    void add(std::string name, std::string value) { headers.emplace_back(std::move(name), std::move(value)); }
    void erase(std::string_view name)
    {
        std::erase_if(headers, [&](const auto& each) { return http::equal_names(each.first, name); });
    }
    void set(const std::string& name, std::string value)
    {
        erase(name);
        add(name, std::move(value));
    }
    void write(http::server_request& into) const
    {
        into.clear();
        into.set_start(http::verb::get, "GET", target, 11);
        for (const auto& [name, value] : headers)
            into.add_header(name, value);
    }

    std::string target;
    header_list headers;
};

/// An answer as it stands on the wire; throws where that is no HTTP.
inline http::response read_answer(const std::string& text)
{
    boost::beast::http::response_parser<boost::beast::http::string_body> parser;
    parser.eager(true);
    boost::system::error_code failure;
    const std::size_t taken = parser.put(asio::buffer(text), failure);
    if (failure || taken != text.size() || !parser.is_done())
        throw std::runtime_error("not one HTTP response: " + failure.message() + "\n" + text);
    return parser.release();
}

/// The engine and what it works with, for fronts on any thread.
struct counter_side
{
    explicit counter_side(x402::payment_listener listener = {}) : told(std::move(listener)) {}

    x402::payment_listener told;
    asio::io_context context;
    x402::samples::manual_clock time;
    steady_timekeeper timers;
    fake_facilitator facilitator{context};
    fake_chain chain;
    ledger::memory_ledger memory{time, timers};
    std::unique_ptr<x402::payment_store> store = memory.open();
    x402::payment_engine engine{x402::payment_engine::parts{
        context.get_executor(), facilitator, *store, time, timers, &chain, {}, told}};
    x402::account_memory accounts{chain, timers};
    x402::signature_judge signatures{context.get_executor(), &accounts, x402::samples::networks()};
    till counter{till::parts{context.get_executor(), engine, signatures, x402::samples::networks(), timers}};

    std::size_t count(x402::payment_state state) const
    {
        return store->numbers().in_state[static_cast<std::size_t>(state)];
    }
    std::size_t spent() const { return store->numbers().spent; }
    /// Open or over.
    std::size_t on_record() const
    {
        const x402::store_numbers now = store->numbers();
        return std::accumulate(now.in_state.begin(), now.in_state.end(), now.spent);
    }
};

/// Answers as the server does; whether the answer arrives is up to the test.
inline asio::awaitable<void> answer_as_server(
    forward_auth& front, const http::server_request& message, bool delivered, http::response& out
)
{
    std::string text;
    http::response_writer writer(text, true, false);
    http::delivery_listener listener;
    auto later = front.answer_to(message, writer);
    if (later)
        listener = co_await std::move(*later);
    if (listener)
        listener(delivered);
    out = read_answer(text);
}

/// The route shop/hello, its verifier, and everything behind it, on one thread.
struct desk : counter_side
{
    std::set<std::string> urls{facilitator_url};
    test::temp_folder folder;
    route::credential_store credentials;
    route::gate_keys keys{folder.write("gate-key", gate_secret)};
    cors_policy cors;
    route::route_table newest = route::route_table().completed();
    published<route::route_table> table{std::make_shared<const route::route_table>(newest)};
    metrics numbers;
    forward_auth front;

    explicit desk(
        std::string_view origins = "",
        const std::vector<config::credential_entry>& entries = {},
        log_level level = log_level::error,
        x402::payment_listener listener = {}
    )
        : counter_side(std::move(listener)), credentials(entries), cors(origins),
          front(table, counter, cors, logger(level, log_format::text), numbers)
    {
        credentials.refresh();
        if (!keys.refresh({}))
            throw std::runtime_error("the test's gate key is refused");
        put(route_object());
    }

    /// As the verifier does it: the numbers go on where the route was known.
    void put(const kube::object_ptr& object)
    {
        auto made = std::make_shared<route::table_entry>();
        made->route =
            route::served_route::compile(*object, {x402::samples::networks(), urls, credentials, &keys})
                .value();
        const route::entry_ptr& known = newest.find(made->route->key());
        made->counters =
            known ? known->counters : std::make_shared<route::route_counters>(numbers, made->route->key());
        publish(newest.with(std::move(made)));
    }
    void erase(std::string_view key) { publish(newest.without(key)); }
    void publish(route::route_table next)
    {
        newest = std::move(next);
        table.set(std::make_shared<const route::route_table>(newest));
    }

    /// One question and its answer, which the gateway gets or not.
    http::response ask(const question& asked, bool delivered = true)
    {
        http::response out;
        test::run(context, handle(asked, delivered, out));
        // The engine hears of the delivery on its own.
        context.restart();
        context.poll();
        return out;
    }
    http::response ask(std::string_view uri, const header_list& more = {}, bool delivered = true)
    {
        return ask(question(uri, more), delivered);
    }
    http::response pay(std::string_view uri, bool delivered = true)
    {
        return ask(uri, {{"X-PAYMENT", real_v1()}}, delivered);
    }
    http::response pay_v1(const json::object& message, bool delivered = true)
    {
        return ask(top, {{"X-PAYMENT", x402::samples::encode(message)}}, delivered);
    }

    /// As the server does it.
    asio::awaitable<void> handle(const question& asked, bool delivered, http::response& out)
    {
        http::server_request message;
        asked.write(message);
        co_await answer_as_server(front, message, delivered, out);
    }
};

inline std::string header(const http::response& answer, const char* name)
{
    const auto value = answer[name];
    return {value.data(), value.size()};
}

/// All of it, for looking for what must not be there.
inline std::string everything(const http::response& answer)
{
    std::string out = std::to_string(answer.result_int()) + "\n";
    for (const auto& each : answer)
    {
        const auto name = each.name_string();
        const auto value = each.value();
        out += std::string(name.data(), name.size()) + ": " + std::string(value.data(), value.size()) + "\n";
    }
    return out + answer.body();
}

inline std::string text(const json::value& of)
{
    return std::string(of.as_string());
}

inline bool is_granted(const http::response& answer)
{
    return answer.result_int() < 400;
}

inline void check_refused(const http::response& answer, http::status code, std::string_view error)
{
    INFO(answer.body());
    CHECK(answer.result() == code);
    CHECK(header(answer, "Cache-Control") == "no-store");
    CHECK(header(answer, "Content-Type") == "application/json");
    CHECK_FALSE(answer.count("X-Payer"));
    CHECK_FALSE(answer.count("PAYMENT-REQUIRED"));
    CHECK_FALSE(answer.count("Authorization"));
    const json::value body = json::parse(answer.body());
    CHECK(text(body.at("error")) == error);
    CHECK_FALSE(body.at("message").as_string().empty());
    CHECK_FALSE(body.as_object().contains("accepts"));
}

/// What is written to stderr while this lives.
class captured_log
{
public:
    captured_log() : before_(dup(STDERR_FILENO))
    {
        const int file = open(folder_.path("log").c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
        dup2(file, STDERR_FILENO);
        close(file);
    }
    captured_log(const captured_log&) = delete;
    captured_log& operator=(const captured_log&) = delete;
    ~captured_log()
    {
        dup2(before_, STDERR_FILENO);
        close(before_);
    }
    std::string text() const
    {
        std::stringstream out;
        out << std::ifstream(folder_.path("log")).rdbuf();
        return out.str();
    }

private:
    test::temp_folder folder_;
    int before_;
};

inline const std::string v1_payer = "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc";
inline const std::string v2_payer = "0x70997970c51812dc3a010c7d01b50e0d17dc79c8";

/// What an upstream may take for our word: all of it in every grant, each once.
inline const std::vector<const char*> vouched{
    "X-Payer",
    "X-Payment-Payer",
    "X-Payment-Status",
    "X-Payment-Tx",
    "X-Payment-Response",
    "Payment-Response",
    "X-Verified-Wallet",
    "X-Portitor-Route",
};

inline void check_granted(const http::response& answer, const std::string& payer = v1_payer)
{
    INFO(answer.body());
    CHECK(answer.result() == http::status::ok);
    CHECK(answer.body().empty());
    CHECK(header(answer, "Cache-Control") == "no-store");
    CHECK(header(answer, "X-Portitor-Route") == "shop/hello");
    CHECK(header(answer, "X-Payer") == payer);
    CHECK(header(answer, "X-Payment-Payer") == header(answer, "X-Payer"));
    CHECK(header(answer, "X-Payment-Status") == "settled");
    const std::string receipt = header(answer, "X-Payment-Response");
    CHECK_FALSE(receipt.empty());
    if (!receipt.empty())
        CHECK(decoded(receipt).at("transaction") == "0xe16d");
    CHECK(header(answer, "Payment-Response") == receipt);
    for (const char* each : vouched)
    {
        INFO(each);
        CHECK(answer.count(each) == 1);
    }
    // Nothing to say, but said, so that a client's own never reaches the upstream.
    for (const char* empty : {"X-Payment-Tx", "X-Verified-Wallet"})
        CHECK(header(answer, empty).empty());
}

}  // namespace portitor::verifier::samples

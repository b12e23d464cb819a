#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/evm/hex.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <boost/json/parse.hpp>

#include <functional>
#include <map>
#include <optional>
#include <vector>

using namespace portitor;
using namespace portitor::x402;
using namespace portitor::x402::samples;

namespace asio = boost::asio;
using std::chrono::milliseconds;

namespace {

const std::string token_address = "0x036cbd53842c5426634e7929541ec2318f3dcf7e";
const std::string lower_nonce = "0xf3746613c2d920b5fdabc0856f2aeb2d4f88ee6037b8cc5d04a71a4462f13480";
const std::string padding = "0x000000000000000000000000";
const std::string payer_topic = padding + "70997970c51812dc3a010c7d01b50e0d17dc79c8";
const std::string seller_topic = padding + "209693bc6afc0c5328ba36faf03c514ef312287c";
const std::string hash = "0x" + std::string(62, '0') + "aa";
const std::string yes = "0x" + std::string(63, '0') + "1";
const std::string no = "0x" + std::string(64, '0');
const std::string price = "0x" + std::string(60, '0') + "2710";
constexpr std::uint64_t head = 20'000;

json::object
event(std::string_view topic, const std::string& first, const std::string& second, std::string data = "0x")
{
    json::array topics;
    topics.emplace_back(std::string(topic));
    topics.emplace_back(first);
    topics.emplace_back(second);
    json::object out;
    out["address"] = token_address;
    out["topics"] = topics;
    out["data"] = std::move(data);
    out["transactionHash"] = hash;
    out["blockNumber"] = "0x4e00";
    return out;
}

json::object used(const std::string& which = lower_nonce)
{
    return event(authorization_used_topic, payer_topic, which);
}

json::object canceled()
{
    return event(authorization_canceled_topic, payer_topic, lower_nonce);
}

json::object transfer(const std::string& to = seller_topic, const std::string& value = price)
{
    return event(transfer_topic, payer_topic, to, value);
}

json::object receipt(std::vector<json::object> logs)
{
    json::array all;
    for (auto& each : logs)
        all.emplace_back(std::move(each));
    json::object out;
    out["transactionHash"] = hash;
    out["status"] = "0x1";
    out["logs"] = std::move(all);
    return out;
}

// A node that answers each method as the test says.
struct node_client final : http::client
{
    std::map<std::string, json::value> answers;
    std::map<std::string, errc> failures;
    std::vector<json::object> calls;
    std::vector<milliseconds> timeouts;
    std::function<void()> between = [] {};

    asio::awaitable<result<http::response>>
    send(http::origin, http::request request, http::client_options with) override
    {
        const json::object call = json::parse(request.body()).as_object();
        calls.push_back(call);
        timeouts.push_back(with.timeout);
        between();
        const std::string method(json::value_to<std::string>(call.at("method")));
        if (const auto failure = failures.find(method); failure != failures.end())
            co_return fail(failure->second, "no answer");
        json::object out;
        out["jsonrpc"] = "2.0";
        out["id"] = call.at("id");
        // The first parameter may make a difference.
        const json::array& params = call.at("params").as_array();
        const json::string* first = params.empty() ? nullptr : params[0].if_string();
        auto answer = first != nullptr ? answers.find(method + " " + first->c_str()) : answers.end();
        if (answer == answers.end())
            answer = answers.find(method);
        if (answer != answers.end())
        {
            out["result"] = answer->second;
        }
        else
        {
            json::object unknown;
            unknown["code"] = -32601;
            out["error"] = unknown;
        }
        co_return http::make_response(http::status::ok, json::serialize(out), "application/json");
    }

    asio::awaitable<result<std::unique_ptr<http::body_stream>>>
    open(http::origin, http::request, http::client_options) override
    {
        co_return fail(errc::invalid, "a node has nothing to stream");
    }

    result<void> use_tls(const http::tls_settings&) override
    {
        return fail(errc::invalid, "a node has no certificates of its own");
    }

    const json::object* asked(std::string_view method) const
    {
        for (const auto& each : calls)
            if (each.at("method").as_string() == method)
                return &each;
        return nullptr;
    }
};

struct fixture
{
    asio::io_context context;
    portitor::test::manual_timekeeper time;
    node_client node;
    settlement_chain_limits limits;
    std::optional<rpc_settlement_chain> made;
    payment offered = decode_v2(v2_payment(usdc_requirement())).value();
    payment_requirement wanted = usdc_requirement();

    fixture()
    {
        node.answers["eth_chainId"] = "0x14a34";
        at_time(0);
    }

    rpc_settlement_chain& chain()
    {
        if (!made)
        {
            std::map<std::string, evm::json_rpc> nodes;
            nodes.emplace("eip155:84532", evm::json_rpc::make(node, "https://node.test").value());
            made.emplace(std::move(nodes), time, limits);
        }
        return *made;
    }

    // The latest block's time, from the end of the payment's window.
    void at_time(std::int64_t after_end)
    {
        json::object block;
        block["number"] = evm::to_quantity(head);
        block["timestamp"] = evm::to_quantity(static_cast<std::uint64_t>(now_seconds + 60 + after_end));
        node.answers["eth_getBlockByNumber"] = block;
    }

    void over(std::vector<json::object> logs, std::vector<json::object> in_receipt)
    {
        node.answers["eth_getBlockByNumber 0x4e00"] =
            json::object{{"number", "0x4e00"}, {"timestamp", evm::to_quantity(now_seconds - 7)}};
        node.answers["eth_call"] = yes;
        json::array all;
        for (auto& each : logs)
            all.emplace_back(std::move(each));
        node.answers["eth_getLogs"] = std::move(all);
        node.answers["eth_getTransactionReceipt"] = receipt(std::move(in_receipt));
    }

    settlement_finding find()
    {
        return portitor::test::run(context, chain().find(offered, wanted, 0, milliseconds(3'000)));
    }

    std::string told() { return to_string(find().state); }

    result<bool> has_code()
    {
        return portitor::test::run(
            context, chain().has_code("eip155:84532", offered.payer, milliseconds(3'000))
        );
    }
};

}  // namespace

TEST_CASE("topics and selectors are the hashes of their signatures", "[x402][chain]")
{
    const auto hash_of = [](std::string_view text) { return evm::to_hex(evm::keccak256(text)); };
    CHECK(hash_of("AuthorizationUsed(address,bytes32)") == authorization_used_topic);
    CHECK(hash_of("AuthorizationCanceled(address,bytes32)") == authorization_canceled_topic);
    CHECK(hash_of("Transfer(address,address,uint256)") == transfer_topic);
    CHECK(hash_of("authorizationState(address,bytes32)").substr(0, 10) == authorization_state_selector);
}

TEST_CASE("a settlement is found with its transaction", "[x402][chain]")
{
    fixture f;
    f.over({used()}, {used(), transfer()});
    const settlement_finding found = f.find();
    CHECK(found.state == settlement_state::settled);
    CHECK(found.transaction == hash);
    CHECK(found.mined_at == static_cast<std::uint64_t>(now_seconds - 7));

    const json::object* call = f.node.asked("eth_call");
    REQUIRE(call != nullptr);
    const json::object expected = json::parse(
                                      R"({"to":")" + token_address + R"(","data":"0xe94a0102)" +
                                      payer_topic.substr(2) + lower_nonce.substr(2) + "\"}"
    )
                                      .as_object();
    CHECK(call->at("params").as_array().at(0) == json::value(expected));
    CHECK(call->at("params").as_array().at(1) == json::value("0x4e20"));

    const json::object* logs = f.node.asked("eth_getLogs");
    REQUIRE(logs != nullptr);
    const json::object& filter = logs->at("params").as_array().at(0).as_object();
    CHECK(filter.at("address") == json::value(token_address));
    CHECK(filter.at("fromBlock") == json::value("0x3a98"));
    CHECK(filter.at("toBlock") == json::value("0x4e20"));
    const json::array& topics = filter.at("topics").as_array();
    REQUIRE(topics.size() == 3);
    CHECK(topics[0].as_array().size() == 2);
    CHECK(topics[1] == json::value(payer_topic));
    CHECK(topics[2] == json::value(lower_nonce));
    CHECK(f.node.asked("eth_getTransactionReceipt")->at("params").as_array().at(0) == json::value(hash));
}

TEST_CASE(
    "an unused authorization is open until its end, and dead once no block can hold it", "[x402][chain]"
)
{
    fixture f;
    f.node.answers["eth_call"] = no;
    const std::pair<std::int64_t, const char*> times[] = {
        {-60, "open"}, {-1, "open"}, {0, "open"}, {29, "open"}, {30, "dead"}, {3'600, "dead"}};
    for (const auto& [after, expected] : times)
    {
        f.at_time(after);
        INFO(after);
        CHECK(f.told() == expected);
    }
    f.offered.valid_before = (std::numeric_limits<u256>::max)();
    CHECK(f.told() == "open");
    CHECK(f.node.asked("eth_getLogs") == nullptr);

    fixture exact;
    exact.limits.reorganization = std::chrono::seconds(0);
    exact.node.answers["eth_call"] = no;
    CHECK(exact.told() == "dead");
    exact.at_time(-1);
    CHECK(exact.told() == "open");
}

TEST_CASE("an authorization that was canceled, or used for something else, is told apart", "[x402][chain]")
{
    fixture f;
    f.over({canceled()}, {});
    CHECK(f.told() == "canceled");
    CHECK(f.node.asked("eth_getTransactionReceipt") == nullptr);

    f.over({used()}, {used(), transfer(payer_topic)});
    CHECK(f.told() == "used_otherwise");
    f.over({used()}, {used(), transfer(seller_topic, yes)});
    CHECK(f.told() == "used_otherwise");
    f.over({used()}, {used()});
    CHECK(f.told() == "used_otherwise");
    json::object of_another = transfer();
    of_another["address"] = seller;
    f.over({used()}, {used(), of_another});
    CHECK(f.told() == "used_otherwise");
    json::object from_another = event(transfer_topic, seller_topic, seller_topic, price);
    f.over({used()}, {used(), from_another});
    CHECK(f.told() == "used_otherwise");
}

TEST_CASE("one transfer pays for one authorization", "[x402][chain]")
{
    const std::string another = "0x" + std::string(64, '7');
    fixture f;
    // The transfer belongs to the other one.
    f.over({used()}, {used(another), transfer(), used(), transfer(payer_topic)});
    CHECK(f.told() == "used_otherwise");
    f.over({used()}, {used(), transfer(payer_topic), used(another), transfer()});
    CHECK(f.told() == "used_otherwise");
    f.over({used()}, {used(), used(another), transfer()});
    CHECK(f.told() == "used_otherwise");
    f.over({used()}, {used(), transfer(payer_topic), transfer(), used(another), transfer(payer_topic)});
    CHECK(f.told() == "used_otherwise");
    // This one's is among others.
    f.over({used()}, {used(another), transfer(payer_topic), used(), transfer()});
    CHECK(f.told() == "settled");
    // A token that tells of the transfer first.
    f.over({used()}, {transfer(), used()});
    CHECK(f.told() == "settled");
    // Other contracts do not matter.
    json::object foreign = used(another);
    foreign["address"] = seller;
    f.over({used()}, {foreign, used(), foreign, transfer()});
    CHECK(f.told() == "settled");
}

TEST_CASE("logs that are not about the payment are passed over", "[x402][chain]")
{
    json::object foreign = used();
    foreign["address"] = seller;
    json::object removed = used();
    removed["removed"] = true;
    fixture f;
    f.over({foreign, removed, used("0x" + std::string(64, '7')), transfer()}, {used(), transfer()});
    CHECK(f.told() == "cannot_tell");
    f.over({foreign, removed, used()}, {used(), transfer()});
    CHECK(f.told() == "settled");
    // Longer ago than the range.
    f.over({}, {});
    CHECK(f.told() == "cannot_tell");
}

TEST_CASE("what cannot be looked up is not judged", "[x402][chain]")
{
    fixture permit;
    permit.offered = decode_v2(v2_payment(permit2_requirement())).value();
    permit.wanted = permit2_requirement();
    CHECK(permit.told() == "cannot_tell");
    CHECK(permit.node.calls.empty());

    fixture other;
    other.wanted.network = "eip155:8453";
    CHECK(other.told() == "cannot_tell");
    CHECK(other.node.calls.empty());
}

TEST_CASE("a node of another chain is not believed, one of ours is asked once", "[x402][chain]")
{
    fixture f;
    f.node.answers["eth_call"] = no;
    for (const char* id : {"0x1", "84532", "0x014a34"})
    {
        f.node.answers["eth_chainId"] = id;
        CHECK(f.told() == "cannot_tell");
        CHECK(f.has_code().has_error());
    }
    f.node.answers["eth_chainId"] = 84532;
    CHECK(f.told() == "cannot_tell");
    CHECK(f.node.asked("eth_call") == nullptr);
    f.node.answers["eth_chainId"] = "0x14a34";
    CHECK(f.told() == "open");
    f.node.calls.clear();
    CHECK(f.told() == "open");
    CHECK(f.node.asked("eth_chainId") == nullptr);
}

TEST_CASE("a node that fails at any step, or answers oddly, tells nothing", "[x402][chain]")
{
    const char* methods[] = {
        "eth_chainId", "eth_getBlockByNumber", "eth_call", "eth_getLogs", "eth_getTransactionReceipt"};
    const char* odd[] = {
        "null",
        "true",
        "7",
        "\"\"",
        "\"0x\"",
        "\"0x2\"",
        "[]",
        "[7]",
        "{}",
        R"([{"address":"0x1"}])",
        R"({"number":1})"};
    for (const char* method : methods)
    {
        INFO(method);
        for (const errc code : {errc::unavailable, errc::timed_out, errc::protocol})
        {
            fixture f;
            f.over({used()}, {used(), transfer()});
            f.node.failures[method] = code;
            const settlement_finding found = f.find();
            CHECK(found.state == settlement_state::cannot_tell);
            CHECK_FALSE(found.why.empty());
        }
        for (const char* answer : odd)
        {
            INFO(answer);
            fixture f;
            f.over({used()}, {used(), transfer()});
            f.node.answers[method] = json::parse(answer);
            CHECK(f.told() == "cannot_tell");
        }
    }
}

TEST_CASE("a receipt that contradicts the log tells nothing", "[x402][chain]")
{
    const std::pair<const char*, json::value> changes[] = {
        {"status", "0x0"},
        {"status", nullptr},
        {"transactionHash", json::value(yes)},
        {"transactionHash", nullptr},
        {"logs", nullptr}};
    for (const auto& [member, value] : changes)
    {
        fixture f;
        f.over({used()}, {used(), transfer()});
        f.node.answers["eth_getTransactionReceipt"].as_object()[member] = value;
        CHECK(f.told() == "cannot_tell");
    }
    fixture f;
    json::object without = used();
    without.erase("transactionHash");
    f.over({without}, {used(), transfer()});
    CHECK(f.told() == "cannot_tell");
}

TEST_CASE("a settlement is told with the time of its block, or not at all", "[x402][chain]")
{
    fixture f;
    f.over({used()}, {used(), transfer()});
    for (const char* answer : {"null", R"({"number":"0x4e01","timestamp":"0x1"})", R"({"number":"0x4e00"})"})
    {
        f.node.answers["eth_getBlockByNumber 0x4e00"] = json::parse(answer);
        INFO(answer);
        CHECK(f.told() == "cannot_tell");
    }
    // The latest one need not be asked for twice.
    fixture latest;
    json::object log = used();
    log["blockNumber"] = evm::to_quantity(head);
    latest.over({log}, {used(), transfer()});
    latest.node.answers.erase("eth_getBlockByNumber 0x4e00");
    CHECK(latest.find().mined_at == static_cast<std::uint64_t>(now_seconds + 60));
    log.erase("blockNumber");
    latest.over({log}, {used(), transfer()});
    CHECK(latest.told() == "cannot_tell");
}

TEST_CASE("all questions together end in time", "[x402][chain]")
{
    fixture f;
    f.over({used()}, {used(), transfer()});
    f.node.between = [&f] { f.time.advance(milliseconds(1'000)); };
    CHECK(f.told() == "cannot_tell");
    CHECK(
        f.node.timeouts ==
        std::vector<milliseconds>{milliseconds(3'000), milliseconds(2'000), milliseconds(1'000)}
    );
}

TEST_CASE("whether an account has code", "[x402][chain]")
{
    fixture f;
    f.node.answers["eth_getCode"] = "0x";
    CHECK_FALSE(f.has_code().value());
    f.node.answers["eth_getCode"] = "0xef01000000000000000000000000000000000000000000";
    CHECK(f.has_code().value());
    CHECK(
        f.node.asked("eth_getCode")->at("params") ==
        json::parse(R"(["0x70997970c51812dc3a010c7d01b50e0d17dc79c8","latest"])")
    );
    for (const char* answer : {"null", "7", "\"\"", "\"code\"", "\"0x1\""})
    {
        f.node.answers["eth_getCode"] = json::parse(answer);
        CHECK(f.has_code().error().code() == errc::protocol);
    }
    f.node.failures["eth_getCode"] = errc::timed_out;
    CHECK(f.has_code().error().code() == errc::timed_out);
    const auto elsewhere =
        portitor::test::run(f.context, f.chain().has_code("eip155:1", f.offered.payer, milliseconds(3'000)));
    CHECK(elsewhere.error().code() == errc::not_found);
}

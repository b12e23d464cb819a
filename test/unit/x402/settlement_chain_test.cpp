#include "catch.hpp"
#include "manual_timekeeper.hpp"
#include "run.hpp"
#include "samples.hpp"

#include <portitor/evm/abi.hpp>
#include <portitor/evm/eip712.hpp>
#include <portitor/evm/hex.hpp>
#include <portitor/evm/keccak.hpp>
#include <portitor/x402/settlement_chain.hpp>

#include <boost/json/parse.hpp>

#include <functional>
#include <map>
#include <optional>
#include <utility>
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
    /// Blocks take two seconds; the latest one is `head`.
    std::uint64_t head_time = 0;
    /// Of eth_getLogs: how many blocks the node takes, and what it says to more.
    std::uint64_t widest = 1'000'000;
    http::status refusal_status = http::status::ok;
    std::string refusal_body = R"({"code":-32602,"message":"no"})";
    /// Of eth_call: the first block as of which the answer is yes; else what `answers` has.
    std::optional<std::uint64_t> used_from;
    std::string used_word = yes;

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
        if (method == "eth_getLogs" &&
            number_at(params[0], "toBlock") - number_at(params[0], "fromBlock") >= widest)
        {
            out["error"] = json::parse(refusal_body);
            const bool as_rpc = refusal_status == http::status::ok;
            co_return http::make_response(
                refusal_status, as_rpc ? json::serialize(out) : "too large", "application/json"
            );
        }
        auto answer = first != nullptr ? answers.find(method + " " + first->c_str()) : answers.end();
        if (answer == answers.end())
            answer = answers.find(method);
        if (method == "eth_call" && used_from)
        {
            const auto at = evm::parse_quantity(std::string_view(params[1].as_string())).value();
            out["result"] = at >= *used_from ? used_word : no;
        }
        else if (answer != answers.end())
        {
            out["result"] = method == "eth_getLogs" ? within(answer->second, params[0]) : answer->second;
        }
        else if (method == "eth_getBlockByNumber")
        {
            out["result"] = block(*first);
        }
        else
        {
            json::object unknown;
            unknown["code"] = -32601;
            out["error"] = unknown;
        }
        co_return http::make_response(http::status::ok, json::serialize(out), "application/json");
    }

    static std::uint64_t number_at(const json::value& of, std::string_view name)
    {
        return static_cast<std::uint64_t>(
            evm::parse_quantity(std::string_view(of.at(name).as_string())).value()
        );
    }

    /// Those of the logs that are in the blocks of the filter.
    static json::value within(const json::value& logs, const json::value& filter)
    {
        if (!logs.is_array())
            return logs;
        json::array out;
        for (const json::value& each : logs.as_array())
        {
            const bool placed = each.is_object() && each.as_object().contains("blockNumber");
            const std::uint64_t at = placed ? number_at(each, "blockNumber") : 0;
            if (!placed || (at >= number_at(filter, "fromBlock") && at <= number_at(filter, "toBlock")))
                out.push_back(each);
        }
        return out;
    }

    json::value block(std::string_view which) const
    {
        const auto number =
            which == "latest" ? head : static_cast<std::uint64_t>(evm::parse_quantity(which).value());
        if (number > head)
            return nullptr;
        return json::object{
            {"number", evm::to_quantity(number)},
            {"timestamp", evm::to_quantity(head_time - 2 * (head - number))}};
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
    manual_clock wall;
    node_client node;
    std::uint64_t confirmations = 1;
    bool checks_receipts = false;
    std::vector<std::string> urls{"https://node.test"};
    std::uint64_t since = static_cast<std::uint64_t>(now_seconds);
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
            std::map<std::string, settlement_node> nodes;
            nodes.emplace(
                "eip155:84532",
                settlement_node{
                    evm::node::make(node, time, 84532, urls).value(), confirmations, checks_receipts}
            );
            made.emplace(std::move(nodes), wall, time);
        }
        return *made;
    }

    // The latest block's time, from the end of the payment's window.
    void at_time(std::int64_t after_end)
    {
        node.head_time = static_cast<std::uint64_t>(now_seconds + 60 + after_end);
    }

    void over(std::vector<json::object> logs, std::vector<json::object> in_receipt)
    {
        node.answers["eth_call"] = yes;
        json::array all;
        for (auto& each : logs)
            all.emplace_back(std::move(each));
        node.answers["eth_getLogs"] = std::move(all);
        node.answers["eth_getTransactionReceipt"] = receipt(std::move(in_receipt));
    }

    settlement_finding find()
    {
        return portitor::test::run(context, chain().find(offered, wanted, since, milliseconds(3'000)));
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
    CHECK(found.mined_at == static_cast<std::uint64_t>(now_seconds + 60 - 64));

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
    // From a minute before the record on, and a little more.
    const std::uint64_t first = node_client::number_at(filter, "fromBlock");
    CHECK(first <= head - 60);
    CHECK(first >= head - 80);
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
        {-60, "open"}, {-1, "open"}, {0, "open"}, {1, "dead"}, {3'600, "dead"}};
    for (const auto& [after, expected] : times)
    {
        f.at_time(after);
        INFO(after);
        CHECK(f.told() == expected);
    }
    f.offered.valid_before = (std::numeric_limits<u256>::max)();
    CHECK(f.told() == "open");
    CHECK(f.node.asked("eth_getLogs") == nullptr);

    // With three confirmations, only as of the block before the one before the latest.
    fixture deep;
    deep.confirmations = 3;
    deep.node.answers["eth_call"] = no;
    deep.at_time(4);
    CHECK(deep.told() == "open");
    deep.at_time(5);
    CHECK(deep.told() == "dead");
    CHECK(deep.node.calls.back().at("params").as_array().at(1) == json::value(evm::to_quantity(head - 2)));
    // Used there, and unused at the head: two nodes that do not agree.
    fixture torn;
    torn.confirmations = 3;
    torn.at_time(5);
    torn.node.answers["eth_call"] = no;
    torn.node.between = [&torn] {
        torn.node.answers["eth_call"] = torn.node.asked("eth_call") == &torn.node.calls.back() ? no : yes;
    };
    CHECK(torn.told() == "cannot_tell");
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
    f.node.used_from = 0x4e00;
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
    fixture unknown;
    unknown.offered.kind = payment_kind::other;
    CHECK(unknown.told() == "cannot_tell");
    CHECK(unknown.node.calls.empty());

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
            if (std::string_view(method) == "eth_getLogs")
                f.node.used_from = 0x4e00;
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
    for (const char* answer : {"null", R"({"number":"0x4e01","timestamp":"0x1"})", R"({"number":"0x4e00"})"})
    {
        fixture f;
        f.over({used()}, {used(), transfer()});
        f.node.answers["eth_getBlockByNumber 0x4e00"] = json::parse(answer);
        INFO(answer);
        CHECK(f.told() == "cannot_tell");
    }
    // The latest one need not be asked for twice.
    fixture latest;
    json::object log = used();
    log["blockNumber"] = evm::to_quantity(head);
    latest.over({log}, {used(), transfer()});
    CHECK(latest.find().mined_at == static_cast<std::uint64_t>(now_seconds + 60));
    log.erase("blockNumber");
    latest.over({log}, {used(), transfer()});
    CHECK(latest.told() == "cannot_tell");
}

TEST_CASE("what has too few confirmations is told with how many it lacks", "[x402][chain]")
{
    fixture f;
    // It is in block 0x4e00, 32 before the latest.
    f.confirmations = 35;
    f.over({used()}, {used(), transfer()});
    CHECK(f.find().state == settlement_state::settled);
    CHECK(f.find().lacking == 2);
    CHECK_FALSE(f.find().confirmed());
    f.over({used()}, {used()});
    CHECK(f.find().lacking == 2);
    f.over({canceled()}, {});
    CHECK(f.find().lacking == 2);
    fixture enough;
    enough.confirmations = 33;
    enough.over({used()}, {used(), transfer()});
    CHECK(enough.find().confirmed());
}

TEST_CASE("a receipt of another block, or another branch, tells nothing", "[x402][chain]")
{
    fixture moved;
    moved.over({used()}, {used(), transfer()});
    moved.node.answers["eth_getTransactionReceipt"].as_object()["blockNumber"] = "0x4e01";
    CHECK(moved.told() == "cannot_tell");
    fixture branch;
    branch.over({used()}, {used(), transfer()});
    branch.node.answers["eth_getTransactionReceipt"].as_object()["blockHash"] = yes;
    branch.node.answers["eth_getBlockByNumber 0x4e00"] =
        json::object{{"number", "0x4e00"}, {"timestamp", "0x1"}, {"hash", no}};
    CHECK(branch.told() == "cannot_tell");
}

TEST_CASE("a node that takes few blocks at a time is asked for few, and that is remembered", "[x402][chain]")
{
    const auto widest = GENERATE(1U, 10U, 25U);
    const auto [status, refusal] = GENERATE(
        std::pair(http::status::ok, R"({"code":-32602,"message":"range"})"),
        std::pair(http::status::ok, R"({"code":-32600,"message":"up to a 10 block range"})"),
        std::pair(http::status::ok, R"({"code":-32005,"message":"limit exceeded"})"),
        std::pair(http::status::ok, R"({"code":-32000,"message":"query returned more than 10000 results"})"),
        std::pair(http::status::bad_request, ""),
        std::pair(http::status::payload_too_large, "")
    );
    fixture f;
    f.node.widest = widest;
    f.node.refusal_status = status;
    f.node.refusal_body = *refusal == 0 ? "{}" : refusal;
    f.over({used()}, {used(), transfer()});
    CHECK(f.told() == "settled");
    f.node.calls.clear();
    CHECK(f.told() == "settled");
    std::size_t asked = 0;
    for (const auto& each : f.node.calls)
        asked += each.at("method").as_string() == "eth_getLogs" ? 1U : 0U;
    CHECK(asked <= 50 / widest + 4);
}

TEST_CASE("a search that runs out of time goes on where it was", "[x402][chain]")
{
    fixture f;
    f.node.widest = 1;
    f.over({used()}, {used(), transfer()});
    f.node.between = [&f] { f.time.advance(milliseconds(300)); };
    int tries = 1;
    for (; tries < 30 && f.told() == "cannot_tell"; ++tries)
    {}
    CHECK(f.told() == "settled");
    CHECK(tries > 3);
    CHECK(tries < 12);
}

TEST_CASE("a node that refuses even one block is named as what to set", "[x402][chain]")
{
    fixture f;
    f.node.widest = 0;
    f.over({used()}, {used(), transfer()});
    const settlement_finding found = f.find();
    CHECK(found.state == settlement_state::cannot_tell);
    CHECK_THAT(found.why, Catch::Contains("even for one block") && Catch::Contains("rpcURL"));
}

TEST_CASE("a nonce that was used before the payment came on is told as such", "[x402][chain]")
{
    fixture f;
    f.node.used_from = head - 500;
    f.over({}, {});
    CHECK(f.told() == "used_before");
    // Between, the event is what is missing.
    f.node.used_from = head - 20;
    CHECK(f.told() == "cannot_tell");
}

TEST_CASE("a clock ahead of the chain's makes no settlement an earlier one", "[x402][chain]")
{
    fixture f;
    f.over({used()}, {used(), transfer()});
    // The record began when the payment was mined, 124 s ago on the chain.
    for (const std::int64_t ahead : {0, 600, 3'000})
    {
        f.wall.time = samples::now() + std::chrono::seconds(60 + ahead);
        f.since = static_cast<std::uint64_t>(now_seconds + ahead - 4);
        f.made.reset();
        const settlement_finding found = f.find();
        REQUIRE(found.state == settlement_state::settled);
        CHECK(found.mined_at == f.since);
    }
    // Between, the event is what is missing: its blocks were looked through.
    f.node.used_from = head - 20;
    f.over({}, {});
    CHECK(f.told() == "cannot_tell");
}

TEST_CASE("the next node is asked where one fails, and all of it ends in time", "[x402][chain]")
{
    fixture f;
    f.urls = {"https://node.test", "https://other.test"};
    f.over({used()}, {used(), transfer()});
    bool first = true;
    f.node.between = [&] {
        f.time.advance(milliseconds(100));
        if (std::exchange(first, false))
            f.node.failures["eth_chainId"] = errc::timed_out;
        else
            f.node.failures.clear();
    };
    CHECK(f.told() == "settled");
    CHECK(f.node.timeouts.front() == milliseconds(1'500));
    CHECK(f.node.timeouts.at(1) == milliseconds(2'900));
}

TEST_CASE("how long confirmations take is known, at first as a guess", "[x402][chain]")
{
    fixture f;
    f.confirmations = 5;
    f.checks_receipts = true;
    CHECK(f.chain().checks_receipts("eip155:84532"));
    CHECK_FALSE(f.chain().checks_receipts("eip155:1"));
    CHECK(f.chain().confirmation_time("eip155:84532") == std::chrono::seconds(60));
    CHECK_FALSE(f.chain().confirmation_time("eip155:1").has_value());
    f.over({used()}, {used(), transfer()});
    CHECK(f.told() == "settled");
    CHECK(f.chain().confirmation_time("eip155:84532") == std::chrono::seconds(10));
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

namespace {

/// A payment by Permit2, which was settled in block 0x4e00.
struct permit_fixture : fixture
{
    permit_fixture()
    {
        offered = decode_v2(v2_payment(permit2_requirement())).value();
        wanted = permit2_requirement();
        over({payment_transfer()}, {payment_transfer()});
        node.answers.erase("eth_call");
        used_from(0x4e00);
        calls(std::string(exact_permit2_proxy), settle());
    }

    u256 nonce() const { return parse_u256(offered.nonce).value(); }

    json::object payment_transfer() const
    {
        json::object out = event(
            transfer_topic,
            evm::to_hex(evm::to_word(offered.payer)),
            evm::to_hex(evm::to_word(offered.pay_to)),
            evm::to_hex(evm::to_word(offered.value))
        );
        out["address"] = wanted.asset;
        return out;
    }

    json::object invalidation(const u256& mask) const
    {
        json::object out = payment_transfer();
        out["address"] = std::string(permit2_contract);
        out["topics"] =
            json::array{std::string(nonce_invalidation_topic), evm::to_hex(evm::to_word(offered.payer))};
        out["data"] = evm::to_hex(evm::abi_values().add(nonce() >> 8U).add(mask).encode());
        return out;
    }

    u256 bit() const { return u256(1) << static_cast<unsigned>(nonce() & 0xffU); }

    void used_from(std::uint64_t block)
    {
        node.used_from = block;
        node.used_word = evm::to_hex(evm::to_word(bit()));
    }

    evm::abi_values arguments(const u256& with_nonce) const
    {
        evm::abi_values out;
        out.add(*evm::address::parse(wanted.asset)).add(offered.value).add(with_nonce);
        out.add(offered.valid_before).add(offered.payer).add(offered.pay_to).add(offered.valid_after);
        out.add_string("signature");
        return out;
    }

    evm::bytes settle(std::optional<u256> with_nonce = {}) const
    {
        return evm::call_data(
            "settle(((address,uint256),uint256,uint256),address,(address,uint256),bytes)",
            arguments(with_nonce.value_or(nonce()))
        );
    }

    void calls(const std::string& to, const evm::bytes& data)
    {
        node.answers["eth_getTransactionByHash"] =
            json::object{{"hash", hash}, {"to", to}, {"input", evm::to_hex(data)}};
    }
};

}  // namespace

TEST_CASE("a Permit2 payment is found by its transfer and the nonce of the proxy's call", "[x402][chain]")
{
    permit_fixture f;
    const settlement_finding found = f.find();
    CHECK(found.why == "");
    CHECK(found.state == settlement_state::settled);
    CHECK(found.transaction == hash);
    CHECK(
        evm::to_hex(evm::keccak256("UnorderedNonceInvalidation(address,uint256,uint256)")) ==
        nonce_invalidation_topic
    );
    const json::object& call = f.node.asked("eth_call")->at("params").as_array().at(0).as_object();
    CHECK(call.at("to") == json::value(std::string(permit2_contract)));
    const std::string expected = evm::to_hex(evm::call_data(
        "nonceBitmap(address,uint256)", evm::abi_values().add(f.offered.payer).add(f.nonce() >> 8U)
    ));
    CHECK(call.at("data") == json::value(expected));
}

TEST_CASE("of two Permit2 payments of one amount, each is found by its own nonce only", "[x402][chain]")
{
    permit_fixture other;
    other.calls(std::string(exact_permit2_proxy), other.settle(other.nonce() + 1));
    CHECK(other.told() == "cannot_tell");
    // By a contract in between, which may name any nonce.
    permit_fixture between;
    between.calls(seller, between.settle());
    CHECK(between.told() == "cannot_tell");
    permit_fixture odd;
    odd.calls(std::string(exact_permit2_proxy), evm::bytes{1, 2, 3});
    CHECK(odd.told() == "cannot_tell");
    // A bit of another nonce in the same word.
    permit_fixture unused;
    unused.node.used_word = evm::to_hex(evm::to_word(~u256(0) ^ unused.bit()));
    CHECK(unused.told() == "open");
}

TEST_CASE("a Permit2 nonce that its owner withdrew is canceled, unless it had paid", "[x402][chain]")
{
    permit_fixture f;
    f.over({f.invalidation(f.bit())}, {});
    CHECK(f.told() == "canceled");
    f.over({f.invalidation(f.bit() == 1 ? 2 : 1)}, {});
    CHECK(f.told() == "cannot_tell");
    // After the fact it withdraws nothing.
    permit_fixture late;
    late.used_from(0x4dfe);
    late.over({late.invalidation(late.bit())}, {});
    CHECK(late.told() == "cannot_tell");
    permit_fixture both;
    both.over({both.payment_transfer(), both.invalidation(both.bit())}, {both.payment_transfer()});
    CHECK(both.told() == "settled");
}

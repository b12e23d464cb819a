#include "reader_world.hpp"

using namespace portitor;
using evm::rpc_refusal;
using test::model_chain;
namespace json = boost::json;

namespace {

std::string number_word(const u256& number)
{
    return evm::to_hex(evm::to_word(number));
}

json::object history(json::array rewards, std::uint64_t blocks = 2)
{
    json::array base_fees;
    for (std::uint64_t each = 0; each <= blocks; ++each)
        base_fees.emplace_back(evm::to_quantity(100 + each));
    json::array used;
    for (std::uint64_t each = 0; each < blocks; ++each)
        used.emplace_back(0.5);
    json::object out{{"oldestBlock", "0x10"}};
    out["baseFeePerGas"] = std::move(base_fees);
    out["gasUsedRatio"] = std::move(used);
    out["reward"] = std::move(rewards);
    return model_chain::result_of(std::move(out));
}

json::array paid(std::initializer_list<const char*> each)
{
    json::array out;
    for (const char* fee : each)
    {
        json::array percentiles;
        percentiles.emplace_back(fee);
        out.emplace_back(std::move(percentiles));
    }
    return out;
}

const json::object newest_block =
    model_chain::result_of(json::object{{"number", "0x20"}, {"timestamp", "0x5"}, {"baseFeePerGas", "0x9"}});

}  // namespace

TEST_CASE("a registry of agents has code and ERC-721", "[roles][registrar]")
{
    test::reader_world world;
    const auto check = [&](json::object code, json::object supports) {
        world.script({{"eth_getCode", std::move(code)}, {"eth_call", std::move(supports)}});
        return world.run(world.reader.check_registry());
    };
    const json::object code = model_chain::result_of("0x6001");
    CHECK(check(code, model_chain::result_of(number_word(1))).has_value());

    const auto nothing = check(model_chain::result_of("0x"), model_chain::result_of("0x"));
    CHECK(nothing.error().code() == errc::invalid);
    CHECK_THAT(nothing.error().message(), Catch::Contains("no contract at 0x0000"));

    for (const json::object& other :
         {model_chain::result_of(number_word(0)),
          model_chain::result_of("0x"),
          model_chain::result_of(number_word(2)),
          model_chain::refusal("execution reverted", 3)})
    {
        const auto answer = check(code, other);
        CHECK(answer.error().code() == errc::invalid);
        CHECK_THAT(answer.error().message(), Catch::Contains("no registry of agents"));
    }
    // Who does not answer has said nothing of the contract.
    CHECK(check(code, model_chain::refusal("oops")).error().code() == errc::refused);
    CHECK(
        check(model_chain::result_of(nullptr), model_chain::result_of("0x")).error().code() == errc::protocol
    );
}

TEST_CASE("one question tells the newest block, its fee and what is paid", "[roles][registrar]")
{
    test::reader_world world;
    world.script({{"eth_feeHistory", history(paid({"0x0", "0x7"}))}});
    const auto head = world.run(world.reader.head()).value();
    CHECK(head.number == 0x11);
    CHECK(head.base_fee == 102);
    CHECK(head.priority == u256(7));
    CHECK(world.client.requests.size() == 2);

    // Empty blocks show nothing.
    world.script({{"eth_feeHistory", history(paid({"0x0", "0x0"}))}});
    CHECK_FALSE(world.run(world.reader.head()).value().priority.has_value());
    world.script({{"eth_feeHistory", history(paid({"0x3", "0x9", "0x1"}), 3)}});
    CHECK(world.run(world.reader.head()).value().priority == u256(3));
}

TEST_CASE("a node that tells no fees tells its newest block", "[roles][registrar]")
{
    test::reader_world world;
    json::object crooked = history({});
    crooked["result"].as_object()["baseFeePerGas"] = json::array{"0x1"};
    json::object monstrous = history({});
    monstrous["result"].as_object()["baseFeePerGas"].as_array().back() = "0x1" + std::string(40, '0');
    json::object endless = history({});
    endless["result"].as_object()["oldestBlock"] = "0xffffffffffffffff";
    for (const json::object& useless :
         {model_chain::refusal("no such method"),
          model_chain::result_of(nullptr),
          crooked,
          monstrous,
          endless,
          history({}, 0),
          history({}, 11)})
    {
        world.script({{"eth_feeHistory", useless}, {"eth_getBlockByNumber", newest_block}});
        const auto head = world.run(world.reader.head()).value();
        CHECK(head.number == 0x20);
        CHECK(head.base_fee == 9);
        CHECK_FALSE(head.priority.has_value());
    }
    world.script({{"eth_getBlockByNumber", model_chain::result_of(nullptr)}});
    CHECK_FALSE(world.run(world.reader.head()).has_value());
}

TEST_CASE("a block's hash is that of the block that was asked for", "[roles][registrar]")
{
    test::reader_world world;
    world.chain.add_block(2);
    world.view.head = 1;
    CHECK(world.run(world.reader.block_hash(1)).value() == world.chain.block_hash(1));
    CHECK_FALSE(world.run(world.reader.block_hash(2)).value().has_value());
    world.always(newest_block);
    CHECK(world.run(world.reader.block_hash(2)).error().code() == errc::protocol);
    CHECK(world.run(world.reader.block_hash(0x20)).error().code() == errc::protocol);
}

TEST_CASE("a missing receipt is no error", "[roles][registrar]")
{
    test::reader_world world;
    const evm::word hash = evm::keccak256("a transaction");
    world.always(model_chain::result_of(nullptr));
    CHECK_FALSE(world.run(world.reader.find_receipt(hash)).value().has_value());
    json::object receipt{{"transactionHash", evm::to_hex(hash)}, {"status", "0x1"}, {"blockNumber", "0x3"}};
    receipt["logs"] = json::array();
    world.always(model_chain::result_of(receipt));
    CHECK(world.run(world.reader.find_receipt(hash)).value()->block == 3U);
    CHECK(world.run(world.reader.find_receipt({})).error().code() == errc::protocol);
}

TEST_CASE("an agent has an owner and a URI, or is none", "[roles][registrar]")
{
    test::reader_world world;
    const auto answer_calls = [&](json::object owner, json::object uri) {
        world.client.script = [owner, uri](const scripted_client::seen& asked) -> scripted_client::answer {
            if (rpc_method(asked) == "eth_chainId")
                return rpc_answer(asked, model_chain::result_of("0x2105"));
            const bool is_owner = asked.message.body().find("0x6352211e") != std::string::npos;
            return rpc_answer(asked, is_owner ? owner : uri);
        };
        return world.run(world.reader.find_agent(0));
    };
    const auto uri =
        model_chain::result_of(evm::to_hex(evm::abi_values().add_string("https://a.test").encode()));
    const auto owner = model_chain::result_of(evm::to_hex(evm::to_word(world.us)));
    const auto found = answer_calls(owner, uri).value();
    REQUIRE(found.has_value());
    CHECK(found->owner == world.us);
    CHECK(found->uri == "https://a.test");

    const auto reverted = model_chain::refusal("execution reverted: ERC721NonexistentToken", 3);
    CHECK_FALSE(answer_calls(reverted, uri).value().has_value());
    CHECK_FALSE(answer_calls(owner, reverted).value().has_value());
    CHECK_FALSE(answer_calls(model_chain::result_of(number_word(0)), uri).value().has_value());
    CHECK(answer_calls(model_chain::result_of("0x"), uri).error().code() == errc::protocol);
    CHECK(answer_calls(owner, model_chain::result_of("0x")).error().code() == errc::protocol);
    CHECK(answer_calls(model_chain::refusal("header not found"), uri).error().code() == errc::refused);
}

TEST_CASE("metadata that is not set is empty", "[roles][registrar]")
{
    test::reader_world world;
    world.always(model_chain::result_of(evm::to_hex(evm::abi_values().add_string("").encode())));
    CHECK(world.run(world.reader.metadata(7, "x402.supported")).value().empty());
    world.always(model_chain::result_of(evm::to_hex(evm::abi_values().add_string("\x01").encode())));
    CHECK(world.run(world.reader.metadata(7, "x402.supported")).value() == evm::bytes{1});
}

TEST_CASE("an estimate is of the account's call, and tells what the contract says", "[roles][registrar]")
{
    test::reader_world world;
    world.always(model_chain::result_of("0x27420"));
    CHECK(world.run(world.reader.estimate(world.us, {0xab})).value() == 160'800);
    const json::value asked = world.last_params();
    CHECK(asked.at(0).at("from").as_string() == world.us.to_string());
    CHECK(asked.at(0).at("to").as_string() == world.chain.registry.to_string());
    CHECK(asked.at(0).at("data").as_string() == "0xab");

    world.always(model_chain::refusal("execution reverted: Not authorized", 3));
    const auto refused = world.run(world.reader.estimate(world.us, {0xab}));
    CHECK(refused.error().refusal() == rpc_refusal::reverted);
    CHECK(refused.error().revert() == "Not authorized");
    for (const char* odd : {"0x0", "0xffffffffffffffff", "twelve"})
    {
        world.always(model_chain::result_of(odd));
        CHECK(world.run(world.reader.estimate(world.us, {0xab})).error().code() == errc::protocol);
    }
}

TEST_CASE("where no node advises what to pay, examples do", "[roles][registrar]")
{
    test::reader_world world;
    world.script({{"eth_maxPriorityFeePerGas", model_chain::result_of("0x0")}});
    CHECK(world.run(world.reader.priority_fee()).value() == 0);
    world.script({{"eth_feeHistory", history(paid({"0x5"}))}});
    CHECK(world.run(world.reader.priority_fee()).value() == 5);
    const std::string monstrous = "0x1" + std::string(40, '0');
    world.script(
        {{"eth_maxPriorityFeePerGas", model_chain::result_of(monstrous)},
         {"eth_feeHistory", history(paid({monstrous.c_str()}))}}
    );
    CHECK(world.run(world.reader.priority_fee()).value() == 1'000'000);
}

TEST_CASE("balances, nonces and transactions that are passed on", "[roles][registrar]")
{
    test::reader_world world;
    world.always(model_chain::result_of("0x10000000000000000"));
    CHECK(world.run(world.reader.balance(world.us)).value() == u256(1) << 64U);
    world.always(model_chain::result_of("0x5"));
    CHECK(world.run(world.reader.mined_nonces(world.us)).value() == 5);
    CHECK(world.last_params().at(1).as_string() == "latest");

    // Whatever the answer is: the hash is known already.
    world.always(model_chain::result_of("made up"));
    CHECK(world.run(world.reader.send({0x02, 0xc0})).has_value());
    CHECK(world.last_params().at(0).as_string() == "0x02c0");
    world.always(model_chain::refusal("nonce too low"));
    CHECK(world.run(world.reader.send({0x02})).error().refusal() == rpc_refusal::nonce_too_low);
}

#include "reader_world.hpp"

using namespace portitor;
using test::model_chain;
using deed = model_chain::deed;
namespace json = boost::json;

namespace {

constexpr std::uint64_t seconds = 2;  // that a block takes

/// A chain of some thousand blocks; an agent of ours is older than all that is asked about.
struct mints_world : test::reader_world
{
    std::uint64_t not_before = 0;
    u256 old_agent;

    explicit mints_world(std::uint64_t blocks_since = 100)
    {
        chain.add_block(seconds);
        old_agent = chain.mint(us, "https://a.test/old.json");
        pass(3000);
        not_before = chain.times.back();
        pass(blocks_since);
    }

    void pass(std::uint64_t blocks)
    {
        for (; blocks > 0; --blocks)
            chain.add_block(seconds);
        view.head = chain.head();
    }

    u256 mint_ours(evm::address by)
    {
        const u256 id = chain.mint(by, "https://a.test/agents" + uid);
        pass(1);
        return id;
    }

    void act(deed what, u256 agent, evm::address to = {})
    {
        auto& made = chain.add(us, what);
        made.agent = agent;
        made.to = to;
        made.uri = "https://a.test/changed.json";
        pass(1);
    }

    evm::rpc_result<registrar::earlier_mint> find() { return find_earlier(not_before, chain.head()); }

    bool is_certain_of_none()
    {
        const auto found = find().value();
        CHECK_FALSE(found.agent_id.has_value());
        return found.certain;
    }

    /// The events as they come are changed before they are read.
    void change_events(std::function<void(json::object&)> change)
    {
        client.script = [this, change](const scripted_client::seen& asked) -> scripted_client::answer {
            auto answer = chain.answer(asked, view);
            if (rpc_method(asked) != "eth_getLogs")
                return answer;
            json::value body = json::parse(answer->body());
            for (json::value& each : body.at("result").as_array())
                change(each.as_object());
            return answer_with(200, json::serialize(body));
        };
    }

    std::size_t questions_of_next()
    {
        const std::size_t before = client.requests.size();
        REQUIRE(find().value().certain);
        return client.requests.size() - before;
    }
};

}  // namespace

TEST_CASE("an account without agents has minted none, which takes two questions", "[roles][registrar]")
{
    test::reader_world world;
    world.chain.add_block(seconds);
    world.chain.add(world.us, deed::nothing);
    world.view.head = 1;
    const auto found = world.find_earlier(1000, 1).value();
    CHECK(found.certain);
    CHECK_FALSE(found.agent_id.has_value());
    CHECK(found.nonces == 1);
    CHECK(world.client.requests.size() == 3);  // with the one which chain it is
}

TEST_CASE("an earlier mint is known by its URI's end and its owner", "[roles][registrar]")
{
    mints_world world;
    world.act(deed::set_uri, world.old_agent);
    world.mint_ours(world.other);
    CHECK(world.is_certain_of_none());

    world.chain.next_agent = (u256(1) << 64U) + 5;
    const u256 first = world.mint_ours(world.us);
    const evm::word hash = world.chain.transactions.back().hash;
    const u256 second = world.mint_ours(world.us);
    // It has moved since, which is why only the event tells.
    world.act(deed::set_uri, first);
    const auto found = world.find().value();
    CHECK(found.certain);
    CHECK(found.agent_id == first);
    CHECK(found.transaction == hash);

    world.act(deed::hand_over, first, world.other);
    CHECK(world.find().value().agent_id == second);
    world.act(deed::hand_over, second, world.other);
    CHECK(world.is_certain_of_none());
    CHECK(world.find().value().nonces == world.chain.nonces(world.us, world.chain.head()));
}

TEST_CASE("agent 0 is found like any other", "[roles][registrar]")
{
    test::reader_world world;
    world.chain.add_block(seconds);
    world.chain.mint(world.us, "https://a.test" + world.uid);
    world.view.head = 1;
    CHECK(world.find_earlier(1000, 1).value().agent_id == u256(0));
}

TEST_CASE("a search takes few questions", "[roles][registrar]")
{
    mints_world world;
    CHECK(world.questions_of_next() <= 9);
    // Tokens, nonces, and whether the blocks that were searched are still there.
    CHECK(world.questions_of_next() == 3);
    world.chain.mint(world.us, "https://a.test/another.json");
    world.pass(30);
    world.act(deed::set_uri, world.old_agent);
    // And the nonces then, the events, which are of as many transactions, and up to where that holds.
    CHECK(world.questions_of_next() == 6);
}

TEST_CASE("transactions that the registry says nothing of are looked for one by one", "[roles][registrar]")
{
    mints_world world;
    world.act(deed::nothing, 0);
    world.act(deed::set_uri, world.old_agent);
    CHECK(world.questions_of_next() <= 10);
    world.act(deed::nothing, 0);
    world.pass(20);
    CHECK(world.questions_of_next() <= 20);
    for (int each = 0; each < 400; ++each)
        world.act(deed::nothing, 0);
    int calls = 0;
    for (auto found = world.find().value(); !found.certain; found = world.find().value(), ++calls)
        REQUIRE(found.so_far.has_value());
    CHECK(calls > 3);
    CHECK(calls < 20);
}

TEST_CASE("a node that has not the block that is asked about is not believed", "[roles][registrar]")
{
    mints_world world;
    --world.view.head;
    CHECK_FALSE(world.is_certain_of_none());
    ++world.view.head;
    CHECK(world.is_certain_of_none());
}

TEST_CASE("events that a node which is behind leaves out are missed by their nonce", "[roles][registrar]")
{
    mints_world world;
    world.act(deed::set_uri, world.old_agent);
    const std::uint64_t seen = world.chain.head();
    // One away and one to us, so that the number of tokens tells nothing.
    world.act(deed::hand_over, world.old_agent, world.other);
    const u256 ours = world.mint_ours(world.us);
    bool is_hash_known = false;
    world.client.script = [&](const scripted_client::seen& asked) {
        model_chain::view view = world.view;
        const bool by_hash = asked.message.body().find("blockHash") != std::string::npos;
        if (rpc_method(asked) == "eth_getLogs" && !(by_hash && is_hash_known))
            view.head = seen;
        return world.chain.answer(asked, view);
    };
    CHECK_FALSE(world.is_certain_of_none());
    is_hash_known = true;
    CHECK(world.find().value().agent_id == ours);
}

TEST_CASE(
    "few blocks at a time are enough, and those without transactions are left out", "[roles][registrar]"
)
{
    mints_world world(2000);
    const u256 ours = world.mint_ours(world.us);
    world.pass(2000);
    world.act(deed::set_uri, world.old_agent);
    world.view.longest_range = 10;
    CHECK(world.find().value().agent_id == ours);
    CHECK(world.client.requests.size() < 60);
    world.act(deed::hand_over, ours, world.other);
    CHECK(world.is_certain_of_none());
}

TEST_CASE("a list of events that is too long is asked for in parts", "[roles][registrar]")
{
    mints_world world(500);
    const u256 ours = world.mint_ours(world.us);
    world.pass(100);
    world.client.script = [&](const scripted_client::seen& asked) -> scripted_client::answer {
        auto answer = world.chain.answer(asked, world.view);
        if (rpc_method(asked) == "eth_getLogs" && answer->body().size() > 100 &&
            world.chain.asked["eth_getLogs"] < 4)
            return fail(errc::protocol, "the answer is too long");
        return answer;
    };
    CHECK(world.find().value().agent_id == ours);
}

TEST_CASE("of a node without old states, older events count when two readings agree", "[roles][registrar]")
{
    mints_world world(50);
    world.act(deed::set_uri, world.old_agent);
    world.pass(500);
    world.view.kept_blocks = 128;
    CHECK(world.is_certain_of_none());

    world.forget();
    const std::uint64_t asked_before = world.chain.asked["eth_getLogs"];
    world.client.script = [&](const scripted_client::seen& asked) {
        model_chain::view view = world.view;
        if (rpc_method(asked) == "eth_getLogs" && world.chain.asked["eth_getLogs"] == asked_before)
            view.head = 10;
        return world.chain.answer(asked, view);
    };
    CHECK_FALSE(world.is_certain_of_none());

    world.client.script = [&](const scripted_client::seen& asked) {
        return world.chain.answer(asked, world.view);
    };
    world.view.kept_blocks = 20;
    world.forget();
    CHECK_FALSE(world.is_certain_of_none());
}

TEST_CASE("events that were not asked for count for nothing", "[roles][registrar]")
{
    mints_world world;
    world.mint_ours(world.us);
    REQUIRE(world.find().value().agent_id.has_value());
    using change = std::function<void(json::object&)>;
    const json::string another(evm::to_hex(evm::to_word(world.other)));
    for (const change& each : std::initializer_list<change>{
             [](json::object& event) { event["removed"] = true; },
             [&](json::object& event) { event["address"] = world.other.to_string(); },
             [&](json::object& event) { event["topics"].as_array()[2] = another; },
             [&](json::object& event) { event["topics"].as_array()[0] = another; },
             [](json::object& event) { event["topics"].as_array().pop_back(); },
             [](json::object& event) { event["topics"].as_array().push_back(event["topics"].as_array()[0]); },
             [](json::object& event) { event["blockNumber"] = nullptr; },
             [](json::object& event) { event["blockNumber"] = "0x1"; },
             [](json::object& event) { event["blockNumber"] = "0xffffff"; },
             [](json::object& event) { event["transactionHash"] = nullptr; }})
    {
        world.change_events(each);
        CHECK_FALSE(world.find().value().agent_id.has_value());
    }
    world.change_events([](json::object& event) { event["data"] = "0x20"; });
    CHECK(world.find().error().code() == errc::protocol);
}

TEST_CASE("a search that fails says so", "[roles][registrar]")
{
    mints_world world;
    const u256 ours = world.mint_ours(world.us);
    const char* const broken =
        GENERATE("eth_call", "eth_getTransactionCount", "eth_getBlockByNumber", "eth_getLogs");
    const bool is_refused = GENERATE(true, false);
    world.client.script = [&](const scripted_client::seen& asked) -> scripted_client::answer {
        if (rpc_method(asked) != broken)
            return world.chain.answer(asked, world.view);
        if (is_refused)
            return rpc_answer(asked, model_chain::refusal("header not found"));
        return fail(errc::timed_out, "no answer");
    };
    const auto found = world.find();
    CHECK(found.has_value() == is_refused);
    if (found)
        CHECK_FALSE(found->certain);
    // An owner that nobody tells is none that is not us.
    world.client.script = [&](const scripted_client::seen& asked) -> scripted_client::answer {
        if (asked.message.body().find("0x6352211e") != std::string::npos)
            return rpc_answer(asked, model_chain::refusal("execution reverted", 3));
        return world.chain.answer(asked, world.view);
    };
    CHECK_FALSE(world.is_certain_of_none());
    CHECK(ours == 1);
    CHECK(world.run(world.reader.find_earlier(world.us, "", 0, {})).error().code() == errc::invalid);
}

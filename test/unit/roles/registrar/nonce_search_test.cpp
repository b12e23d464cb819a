#include "reader_world.hpp"

using namespace portitor;
using test::model_chain;
using deed = model_chain::deed;
namespace json = boost::json;

namespace {

/// A transaction of ours in each of some blocks, behind one of another account.
struct nonces_world : test::reader_world
{
    explicit nonces_world(std::uint64_t blocks, std::set<std::uint64_t> ours)
    {
        for (std::uint64_t each = 1; each <= blocks; ++each)
        {
            chain.add_block(2);
            chain.add(other, deed::nothing);
            if (ours.contains(each))
                chain.add(us, deed::nothing);
        }
        view.head = chain.head();
    }

    evm::rpc_result<std::optional<registrar::nonce_taker>>
    find_taker(std::uint64_t nonce, std::uint64_t first, std::uint64_t head)
    {
        return run(reader.find_taker(us, nonce, first, head));
    }

    evm::word hash_of(std::uint64_t nonce) const
    {
        for (const auto& each : chain.transactions)
        {
            if (each.from == us && each.nonce == nonce)
                return each.hash;
        }
        return {};
    }
};

}  // namespace

TEST_CASE("who took a nonce is found wherever it is in the range", "[roles][registrar]")
{
    const std::uint64_t first = GENERATE(1U, 2U, 40U, 99U);
    nonces_world world(100, {first, 100});
    for (const std::uint64_t nonce : {0U, 1U})
    {
        const auto found = world.find_taker(nonce, 1, 100).value();
        REQUIRE(found.has_value());
        CHECK(found->block == (nonce == 0 ? first : 100));
        CHECK(found->transaction == world.hash_of(nonce));
    }
    CHECK_FALSE(world.find_taker(2, 1, 100).value().has_value());
    // Not in the range: after it, before it; or no range at all.
    CHECK_FALSE(world.find_taker(1, 1, 99).value().has_value());
    CHECK_FALSE(world.find_taker(0, first + 1, 100).value().has_value());
    CHECK_FALSE(world.find_taker(0, 101, 100).value().has_value());
    CHECK(world.chain.asked["eth_getTransactionCount"] < 60);
}

TEST_CASE("without old states, the last blocks are searched for who took a nonce", "[roles][registrar]")
{
    nonces_world world(1000, {100, 980});
    world.view.kept_blocks = 128;
    CHECK(world.find_taker(1, 1, 1000).value()->block == 980);
    CHECK_FALSE(world.find_taker(0, 1, 1000).value().has_value());
    world.view.kept_blocks = 10;
    CHECK_FALSE(world.find_taker(1, 1, 1000).value().has_value());
}

TEST_CASE("a node that is behind names nobody", "[roles][registrar]")
{
    nonces_world world(20, {15});
    world.view.head = 14;
    CHECK_FALSE(world.find_taker(0, 1, 20).value().has_value());
    world.view.head = 20;
    CHECK(world.find_taker(0, 1, 20).value().has_value());
}

TEST_CASE("a transaction that is none, or of another block, is not taken for the one", "[roles][registrar]")
{
    nonces_world world(3, {2});
    const std::string hash = evm::to_hex(evm::keccak256("a transaction"));
    const json::object right{
        {"from", world.us.to_string()}, {"nonce", "0x0"}, {"hash", hash}, {"blockNumber", "0x2"}};
    const auto answer_with_changed = [&](const char* member, json::value value) {
        json::object changed = right;
        changed[member] = std::move(value);
        world.client.script = [&world, changed](const scripted_client::seen& asked) {
            const bool is_it = rpc_method(asked) == "eth_getTransactionByBlockNumberAndIndex";
            return is_it ? scripted_client::answer(rpc_answer(asked, model_chain::result_of(changed)))
                         : world.chain.answer(asked, world.view);
        };
        return world.find_taker(0, 1, 3);
    };
    CHECK(answer_with_changed("type", "0x2").value().has_value());
    CHECK(answer_with_changed("blockNumber", "0x3").error().code() == errc::protocol);
    CHECK(answer_with_changed("blockNumber", nullptr).error().code() == errc::protocol);
    CHECK(answer_with_changed("hash", "0x12").error().code() == errc::protocol);
    CHECK(answer_with_changed("from", 7).error().code() == errc::protocol);
    CHECK(answer_with_changed("nonce", "0x10000000000000000").error().code() == errc::protocol);
    // A block without end.
    CHECK(
        answer_with_changed("from", json::string(world.other.to_string())).error().code() == errc::unavailable
    );
}

#include "reader_world.hpp"

using namespace portitor;
using test::model_chain;
using deed = model_chain::deed;

namespace {

constexpr std::uint64_t seconds = 2;         // that a block takes
constexpr std::uint64_t month = 1'296'000;   // blocks
constexpr std::uint64_t most_at_once = 130;  // questions

/// An offer that is a month old, of an account that was busy all the time.
struct month_world : test::reader_world
{
    std::uint64_t not_before = 0;
    u256 old_agent;

    struct outcome
    {
        registrar::earlier_mint found;
        std::size_t calls = 0;
        std::size_t questions = 0;
    };

    /// Of each ten transactions, so many are none of the registry.
    explicit month_world(std::uint64_t transactions, std::uint64_t foreign, std::uint64_t mint_at = 0)
    {
        chain.add_block(seconds);
        old_agent = chain.mint(us, "https://a.test/old.json");
        pass(2000);
        not_before = chain.times.back();
        for (std::uint64_t each = 0; each < transactions; ++each)
        {
            pass(month / transactions);
            if (each == mint_at && mint_at != 0)
                chain.mint(us, "https://a.test/agents" + uid);
            else
                act(each % 10 < foreign ? deed::nothing : deed::set_uri);
        }
        pass(50);
    }

    void pass(std::uint64_t blocks)
    {
        for (; blocks > 0; --blocks)
            chain.add_block(seconds);
        view.head = chain.head();
    }

    void act(deed what)
    {
        auto& made = chain.add(us, what);
        made.agent = old_agent;
        made.uri = "https://a.test/changed.json";
    }

    evm::rpc_result<registrar::earlier_mint> find() { return find_earlier(not_before, chain.head()); }

    std::size_t questions() const { return client.requests.size(); }

    /// Time passes between the calls.
    outcome find_at_last()
    {
        outcome out;
        std::uint64_t reached = 0;
        while (++out.calls < 1000)
        {
            const std::size_t before = questions();
            out.found = find().value();
            out.questions += questions() - before;
            CHECK(questions() - before <= most_at_once);
            if (out.found.certain)
                break;
            REQUIRE(out.found.so_far.has_value());
            CHECK(out.found.so_far->searched_to > std::max(reached, out.found.so_far->first));
            CHECK(out.found.so_far->last == chain.head());
            reached = out.found.so_far->searched_to;
            pass(10);
        }
        return out;
    }
};

}  // namespace

TEST_CASE("an offer that is a month old is searched for in several calls", "[roles][registrar]")
{
    struct row
    {
        std::uint64_t limit;
        std::uint64_t kept_blocks;
        std::uint64_t transactions;
        std::uint64_t foreign;
        std::size_t calls;
        std::size_t questions;
    };
    constexpr std::uint64_t all = 2'000'000;
    const row of = GENERATE(
        row{10, all, 20, 2, 5, 450},
        row{10, all, 300, 2, 45, 4500},
        row{500, all, 20, 0, 3, 250},
        row{500, all, 300, 0, 20, 2000},
        row{500, all, 300, 2, 28, 2800},
        row{500, 128, 300, 2, 65, 6500},
        row{10'000, all, 20, 0, 2, 150},
        row{10'000, all, 300, 0, 4, 330},
        row{10'000, all, 300, 2, 12, 1200},
        row{10'000, 128, 300, 2, 4, 350},
        row{all, all, 300, 2, 1, 12},
        row{all, 128, 300, 2, 1, 16}
    );
    month_world world(of.transactions, of.foreign);
    world.view.longest_range = of.limit;
    world.view.kept_blocks = of.kept_blocks;
    const auto out = world.find_at_last();
    INFO("limit " << of.limit << ", kept " << of.kept_blocks << ", transactions " << of.transactions);
    CHECK(out.calls <= of.calls);
    CHECK(out.questions <= of.questions);
    CHECK(out.found.certain);
    CHECK_FALSE(out.found.agent_id.has_value());
    CHECK(out.found.nonces == world.chain.nonces(world.us, world.chain.head()));

    // All but the newest blocks are done.
    std::size_t before = world.questions();
    world.pass(30);
    CHECK(world.find().value().certain);
    CHECK(world.questions() - before <= (of.limit == 10 ? 12 : 6));
    world.act(deed::set_uri);
    world.pass(5);
    before = world.questions();
    CHECK(world.find().value().certain);
    CHECK(world.questions() - before <= (of.limit == 10 ? 16 : 7));

    // Another offer of the same node: how many blocks it answers for is known.
    const std::string other_uid = "/other.json";
    before = world.questions();
    CHECK(
        world
            .run(world.reader.find_earlier(world.us, other_uid, world.not_before, {world.chain.head(), 0, {}})
            )
            .has_value()
    );
    CHECK(world.questions() - before <= most_at_once);
}

TEST_CASE("a mint of weeks ago is found on the way", "[roles][registrar]")
{
    month_world world(300, 2, 150);
    world.view.longest_range = 500;
    const bool is_kept = GENERATE(true, false);
    world.view.kept_blocks = is_kept ? 2'000'000 : 128;
    const auto out = world.find_at_last();
    CHECK(out.calls > 5);
    CHECK(out.calls < 40);
    CHECK(out.found.agent_id == u256(1));
    // It is remembered, but whose it is can change.
    auto& moved = world.chain.add(world.us, deed::hand_over);
    moved.agent = 1;
    moved.to = world.other;
    world.pass(20);
    CHECK_FALSE(world.find_at_last().found.agent_id.has_value());
    auto& back = world.chain.add(world.other, deed::hand_over);
    back.agent = 1;
    back.to = world.us;
    world.pass(20);
    const std::size_t before = world.questions();
    CHECK(world.find().value().agent_id == u256(1));
    CHECK(world.questions() - before < 40);
}

TEST_CASE("a search that fails goes on where it failed", "[roles][registrar]")
{
    month_world world(300, 2);
    world.view.longest_range = 10'000;
    // As a provider does that allows so many questions at a time, and then none for a while.
    const std::size_t allowed = GENERATE(40U, 60U);
    std::size_t left = allowed;
    world.client.script = [&](const scripted_client::seen& asked) -> scripted_client::answer {
        if (left == 0)
            return fail(errc::unavailable, "429");
        --left;
        return world.chain.answer(asked, world.view);
    };
    std::size_t calls = 0;
    bool is_certain = false;
    while (!is_certain && ++calls < 200)
    {
        left = allowed;
        const auto found = world.find();
        is_certain = found.has_value() && found->certain;
    }
    CHECK(is_certain);
    CHECK(calls > 10);
    CHECK(calls < 60);
}

TEST_CASE("what was searched before a reorganisation is searched again", "[roles][registrar]")
{
    month_world world(40, 2);
    world.view.longest_range = 10'000;
    REQUIRE(world.find_at_last().found.certain);
    // Not as deep as what is remembered.
    world.chain.reorganise(90);
    world.chain.mint(world.us, "https://a.test/agents" + world.uid);
    world.pass(100);
    std::size_t before = world.questions();
    CHECK(world.find().value().agent_id == u256(1));
    CHECK(world.questions() - before < 40);

    world.chain.reorganise(5000);
    world.pass(10);
    world.chain.mint(world.us, "https://a.test/other.json");
    world.chain.mint(world.us, "https://a.test/agents" + world.uid);
    world.pass(5000);
    before = world.questions();
    const auto out = world.find_at_last();
    CHECK(out.found.agent_id == u256(2));
    CHECK(world.questions() - before > 100);
}

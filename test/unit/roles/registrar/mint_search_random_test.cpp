#include "reader_world.hpp"

#include <random>

using namespace portitor;
using test::model_chain;
using deed = model_chain::deed;

namespace {

constexpr int rounds = 2000;

/// A chain and two nodes behind one address, of which one is behind; who answers is chance.
struct random_case
{
    std::mt19937_64 chance;
    test::reader_world world;
    std::array<model_chain::view, 2> views{};
    std::uint64_t not_before = 0;
    std::uint64_t head = 0;

    explicit random_case(std::uint64_t seed) : chance(seed)
    {
        const bool is_long = one_in(5);
        const std::uint64_t blocks = is_long ? below(150) + 120 : below(40) + 1;
        const std::uint64_t seconds = below(12) + 1;
        not_before = 1000 + below(blocks * seconds + 200);
        for (std::uint64_t each = 0; each < blocks; ++each)
        {
            world.chain.add_block(seconds);
            while (one_in(is_long ? 12 : 3))
                something_happens();
        }
        const std::uint64_t top = world.chain.head();
        views[0].head = top;
        views[1].head = top - std::min(top, one_in(4) ? 0 : below(20));
        for (model_chain::view& each : views)
        {
            each.kept_blocks = is_long && one_in(2) ? 128 : 1'000'000;
            each.longest_range = one_in(3) ? below(20) + (is_long ? 20 : 1) : 1'000'000;
            each.refuses_later_blocks = one_in(2);
        }
        head = views.at(below(2)).head;
        world.client.script = [this](const scripted_client::seen& asked) {
            return world.chain.answer(asked, views.at(below(2)));
        };
    }

    std::uint64_t below(std::uint64_t limit)
    {
        return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(chance);
    }
    bool one_in(std::uint64_t many) { return below(many) == 0; }

    void something_happens()
    {
        model_chain& chain = world.chain;
        const evm::address by = one_in(3) ? world.other : world.us;
        const auto owners = chain.owners(chain.head());
        const bool may_be_ours = chain.times.back() >= not_before && one_in(4);
        const std::uint64_t what = below(5);
        if (what < 2 || owners.empty())
        {
            chain.mint(by, "https://a.test/agents" + (may_be_ours ? world.uid : "/other.json"));
            return;
        }
        const auto agent = std::next(owners.begin(), static_cast<std::ptrdiff_t>(below(owners.size())));
        model_chain::transaction& made = chain.add(
            agent->second,
            what == 2   ? deed::set_uri
            : what == 3 ? deed::hand_over
                        : deed::nothing
        );
        made.agent = agent->first;
        made.uri = "https://a.test/changed.json";
        made.to = agent->second == world.us ? world.other : world.us;
    }

    /// The agents that a right answer may name.
    std::set<u256> right() const { return world.minted_and_owned(head); }

    bool is_pair_of_equals() const
    {
        return views[0].head == views[1].head && views[0].kept_blocks == views[1].kept_blocks;
    }
};

}  // namespace

TEST_CASE("no node that is behind makes a mint unseen", "[roles][registrar][random]")
{
    int found = 0;
    int none_though_behind = 0;
    int uncertain = 0;
    for (std::uint64_t seed = 0; seed < rounds; ++seed)
    {
        random_case now(seed);
        const auto answer = now.world.find_earlier(now.not_before, now.head);
        INFO("seed " << seed);
        REQUIRE(answer.has_value());
        const auto right = now.right();
        if (answer->agent_id)
        {
            ++found;
            REQUIRE(answer->certain);
            REQUIRE(right.contains(*answer->agent_id));
            if (now.is_pair_of_equals())
                REQUIRE(*answer->agent_id == *right.begin());
            continue;
        }
        if (now.is_pair_of_equals())
            REQUIRE(answer->certain);
        uncertain += answer->certain ? 0 : 1;
        if (!answer->certain)
            continue;
        REQUIRE(right.empty());
        REQUIRE(answer->nonces == now.world.chain.nonces(now.world.us, now.head));
        none_though_behind += now.is_pair_of_equals() ? 0 : 1;
    }
    // The rounds show something only where all of this happens.
    CHECK(found > rounds / 20);
    CHECK(none_though_behind > rounds / 20);
    CHECK(uncertain > rounds / 20);
}

#include "reader_world.hpp"

#include <random>

using namespace portitor;
using test::model_chain;
using deed = model_chain::deed;

namespace {

constexpr int rounds = 50;
constexpr int most_calls = 60;

/// A chain that grows and is reorganised between the calls, and two nodes behind one address, of which one
/// is behind; who answers is chance.
struct growing_case
{
    std::mt19937_64 chance;
    test::reader_world world;
    std::array<model_chain::view, 2> views{};
    std::uint64_t not_before = 0;
    std::uint64_t head = 0;
    std::uint64_t highest = 0;
    bool is_busy = false;

    explicit growing_case(std::uint64_t seed) : chance(seed)
    {
        is_busy = one_in(2);
        world.chain.add_block(2);
        world.chain.mint(world.us, "https://a.test/old.json");
        not_before = 1200 + below(400);
        grow(250 + below(350));
        for (model_chain::view& each : views)
        {
            each.kept_blocks = one_in(3) ? 128 : 1'000'000;
            each.longest_range = one_in(2) ? below(20) + 1 : 1'000'000;
            each.refuses_later_blocks = one_in(2);
        }
        world.client.script = [this](const scripted_client::seen& asked) {
            return world.chain.answer(asked, views.at(below(2)));
        };
    }

    std::uint64_t below(std::uint64_t limit)
    {
        return std::uniform_int_distribution<std::uint64_t>(0, limit - 1)(chance);
    }
    bool one_in(std::uint64_t many) { return below(many) == 0; }

    void grow(std::uint64_t blocks)
    {
        for (; blocks > 0; --blocks)
        {
            world.chain.add_block(2);
            while (one_in(is_busy ? 3 : 20))
                something_happens();
        }
    }

    void time_passes()
    {
        if (one_in(3))
            world.chain.reorganise(std::min(1 + below(one_in(2) ? 250 : 20), world.chain.head() - 1));
        grow(below(one_in(3) ? 250 : 20));
        const std::uint64_t top = world.chain.head();
        views[0].head = top;
        views[1].head = top - (one_in(3) ? 0 : below(20));
        head = views.at(below(2)).head;
        highest = std::max(highest, head);
    }

    void something_happens()
    {
        model_chain& chain = world.chain;
        const auto owners = chain.owners(chain.head());
        const auto agent = std::next(owners.begin(), static_cast<std::ptrdiff_t>(below(owners.size())));
        const std::uint64_t what = below(20);
        if (what == 0)
        {
            const bool may_be_ours = chain.times.back() >= not_before && one_in(3);
            chain.mint(
                one_in(4) ? world.other : world.us,
                "https://a.test/agents" + (may_be_ours ? world.uid : "/other.json")
            );
            return;
        }
        if (what < 8)
        {
            chain.add(world.us, deed::nothing);
            return;
        }
        model_chain::transaction& made =
            chain.add(agent->second, what < 16 ? deed::set_uri : deed::hand_over);
        made.agent = agent->first;
        made.uri = "https://a.test/changed.json";
        made.to = agent->second == world.us ? world.other : world.us;
    }

    /// The agents that a right answer may name.
    std::set<u256> right() const { return world.minted_and_owned(head); }

    /// Not while there are fewer blocks than were searched once, nor where a node is behind.
    bool can_be_certain() const
    {
        return views[0].head == views[1].head && views[0].kept_blocks == views[1].kept_blocks &&
               head + 96 >= highest;
    }
};

struct counts
{
    int found = 0;
    int none = 0;
    int none_at_later_calls = 0;
    int paused = 0;
    int uncertain = 0;
};

void check_answer(const growing_case& now, const registrar::earlier_mint& answer, counts& all)
{
    const auto right = now.right();
    if (answer.agent_id)
    {
        ++all.found;
        REQUIRE(answer.certain);
        REQUIRE(right.contains(*answer.agent_id));
        return;
    }
    if (!answer.certain)
    {
        all.paused += answer.so_far ? 1 : 0;
        all.uncertain += answer.so_far ? 0 : 1;
        REQUIRE((answer.so_far || !now.can_be_certain()));
        return;
    }
    ++all.none;
    REQUIRE(right.empty());
    REQUIRE(answer.nonces == now.world.chain.nonces(now.world.us, now.head));
}

}  // namespace

TEST_CASE("what is remembered of a search never makes a mint unseen", "[roles][registrar][random]")
{
    counts all;
    for (std::uint64_t seed = 0; seed < rounds; ++seed)
    {
        INFO("seed " << seed);
        growing_case now(seed);
        for (int time = 0; time < 8; ++time)
        {
            now.time_passes();
            // At some times the search is left unfinished.
            int calls = now.one_in(2) ? most_calls : 1 + static_cast<int>(now.below(3));
            const bool is_finished = calls == most_calls;
            registrar::earlier_mint last;
            do
            {
                const auto answer = now.world.find_earlier(now.not_before, now.head);
                REQUIRE(answer.has_value());
                check_answer(now, *answer, all);
                last = *answer;
            } while (!last.certain && --calls > 0);
            if (is_finished && now.can_be_certain())
                REQUIRE(last.certain);
            all.none_at_later_calls += time > 0 && last.certain && !last.agent_id ? 1 : 0;
        }
    }
    // The rounds show something only where all of this happens.
    CHECK(all.found > rounds);
    CHECK(all.none > rounds);
    CHECK(all.none_at_later_calls > rounds / 2);
    CHECK(all.paused > rounds / 4);
    CHECK(all.uncertain > rounds / 4);
}

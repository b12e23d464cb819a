#include "reader_world.hpp"

using namespace portitor;

TEST_CASE("the first block that is searched is never too late", "[roles][registrar]")
{
    // Blocks that took longer before, or take longer now; a halt between.
    const auto times = GENERATE(std::pair(1U, 12U), std::pair(12U, 1U), std::pair(2U, 100'000U));
    test::reader_world world;
    world.chain.add_block(times.first);
    world.chain.mint(world.us, "https://a.test/old.json");
    for (int each = 0; each < 2000; ++each)
        world.chain.add_block(times.first);
    std::vector<u256> ours;
    std::vector<std::uint64_t> when;
    for (int each = 0; each < 20; ++each)
    {
        world.chain.add_block(each % 7 == 0 ? times.second : times.first);
        when.push_back(world.chain.times.back());
        ours.push_back(world.chain.mint(world.us, fmt::format("https://a.test/{}{}", each, world.uid)));
        for (int more = 0; more < 100; ++more)
            world.chain.add_block(each < 10 ? times.first : times.second);
    }
    world.view.head = world.chain.head();
    for (std::size_t each = 0; each < ours.size(); ++each)
    {
        const auto found = world.find_earlier(when[each] + 60, world.chain.head()).value();
        REQUIRE(found.agent_id.has_value());
        CHECK(*found.agent_id <= ours[each]);
    }
    CHECK(world.client.requests.size() < 20 * 12);
}

#include "catch.hpp"
#include "roles/registrar/search_memory.hpp"

#include <fmt/format.h>

using namespace portitor;
using registrar::proven_blocks;
using registrar::search_memory;

namespace {

proven_blocks to_block(std::uint64_t last)
{
    proven_blocks out;
    out.not_before = 1000;
    out.to = last;
    return out;
}

}  // namespace

TEST_CASE("what a search has shown is remembered by account and URI", "[roles][registrar]")
{
    search_memory memory;
    const evm::address us;
    const evm::address other = evm::address::parse("0x0000000000000000000000000000000000000002").value();
    memory.keep(us, "/a.json", to_block(5));
    memory.keep(us, "/b.json", to_block(6));
    memory.keep(other, "/a.json", to_block(7));
    memory.keep(us, "/b.json", to_block(8));
    CHECK(memory.find(us, "/a.json", 1000)->to == 5);
    CHECK(memory.find(us, "/b.json", 2000)->to == 8);
    CHECK(memory.find(other, "/a.json", 1000)->to == 7);
    CHECK_FALSE(memory.find(other, "/b.json", 1000).has_value());
    // Older blocks were not searched.
    CHECK_FALSE(memory.find(us, "/a.json", 999).has_value());
    memory.forget(us, "/a.json");
    CHECK_FALSE(memory.find(us, "/a.json", 1000).has_value());
}

TEST_CASE("the memory of searches has an end", "[roles][registrar]")
{
    search_memory memory;
    const evm::address us;
    for (std::size_t each = 0; each < search_memory::most_searches; ++each)
        memory.keep(us, fmt::format("/{}.json", each), to_block(each));
    memory.keep(us, "/0.json", to_block(9));
    memory.keep(us, "/new.json", to_block(9));
    CHECK(memory.size() == search_memory::most_searches);
    CHECK(memory.find(us, "/0.json", 1000).has_value());
    CHECK(memory.find(us, "/new.json", 1000).has_value());
    CHECK_FALSE(memory.find(us, "/1.json", 1000).has_value());
    CHECK(memory.find(us, "/2.json", 1000).has_value());

    proven_blocks many = to_block(10);
    for (std::size_t each = 0; each <= search_memory::most_mints; ++each)
        many.mints[each] = {};
    memory.keep(us, "/new.json", many);
    CHECK(memory.find(us, "/new.json", 1000)->to == 9);
}

#include "catch.hpp"
#include "stores.hpp"

#include <cstdlib>
#include <map>
#include <random>

/// Several owners on one store, against a plain map that says what must come of each step.

using namespace portitor;
using namespace portitor::ledger::test;
using namespace portitor::x402;

namespace {

using state = payment_state;

struct owner
{
    hand store;
    clock::time_point lease_end;
    bool fenced = false;
    bool left = false;
};

struct plain_record
{
    state now = state::reserved;
    std::uint64_t revision = 0;
    int owner = -1;  // whose, -1: nobody's
};

bool is_work(state which)
{
    return which == state::reserved || which == state::verified || which == state::settling ||
           which == state::delivering;
}

struct model
{
    explicit model(std::uint32_t seed) : random(seed)
    {
        for (int i = 0; i < 3; ++i)
            join();
    }

    std::size_t below(std::size_t end) { return random() % end; }

    void join() { owners.push_back(owner{world.open(), world.wall.time + std::chrono::seconds(10)}); }

    bool alive(int which) const
    {
        if (which < 0)
            return false;
        const owner& of = owners[static_cast<std::size_t>(which)];
        return !of.fenced && !of.left && world.wall.time < of.lease_end;
    }

    void begin(std::size_t by, std::uint64_t number)
    {
        const auto begun = owners[by].store.begin(offer_of(number));
        if (owners[by].fenced || owners[by].left)
        {
            REQUIRE(begun.error().code() == errc::canceled);
            return;
        }
        const auto known = open.find(number);
        if (known != open.end())
        {
            const auto& found = std::get<record_found>(begun.value());
            REQUIRE(found.record.revision == known->second.revision);
            REQUIRE(found.record.state == known->second.now);
            const bool own = known->second.owner == static_cast<int>(by);
            REQUIRE(found.owner_alive == (own || alive(known->second.owner)));
        }
        else if (over.contains(number))
            REQUIRE(std::get<record_spent>(begun.value()).state == over[number]);
        else
        {
            const auto& made = std::get<record_made>(begun.value());
            REQUIRE(made.record.revision > last_revision);
            last_revision = made.record.revision;
            open[number] = {state::reserved, last_revision, static_cast<int>(by)};
        }
    }

    void change(std::size_t by, std::uint64_t number)
    {
        payment_change what(static_cast<state>(below(payment_states)));
        what.own = below(2) == 0;
        what.knowledge = below(4) == 0;
        what.forget = below(12) == 0;
        const auto known = open.find(number);
        const std::uint64_t revision =
            known != open.end() && below(5) != 0 ? known->second.revision : below(last_revision + 1);
        const auto done = owners[by].store.advance(key_of(number), revision, what);
        if (!what.knowledge && (owners[by].fenced || owners[by].left))
        {
            REQUIRE(done.error().code() == errc::canceled);
            return;
        }
        const bool made = std::holds_alternative<change_made>(done.value());
        const int self = static_cast<int>(by);
        bool may = known != open.end() && known->second.revision == revision;
        if (may && !what.knowledge)
        {
            const bool ours = known->second.owner == self;
            const bool free = !alive(known->second.owner) && (what.own || what.forget || !is_work(what.next));
            may = known->second.now != state::expired && (ours || free);
        }
        REQUIRE(made == may);
        if (!made)
            return;
        plain_record& now = known->second;
        if (what.forget)
        {
            open.erase(known);
            return;
        }
        const payment_record& after = std::get<change_made>(done.value()).record;
        REQUIRE(after.revision > last_revision);
        last_revision = after.revision;
        const bool may_own =
            (now.owner == self || !alive(now.owner)) && !owners[by].fenced && !owners[by].left;
        const bool ends = is_over(what.next) || what.next == state::expired;
        const int next = what.own && may_own && !ends ? self : -1;
        REQUIRE((after.owner != 0) == (next >= 0));
        // Whose work is taken over is dead from then on.
        if (next >= 0 && now.owner >= 0 && now.owner != self)
            owners[static_cast<std::size_t>(now.owner)].fenced = true;
        now = {what.next, after.revision, next};
        if (is_over(what.next))
        {
            over[number] = what.next;
            open.erase(known);
        }
    }

    void step()
    {
        const std::size_t by = below(owners.size());
        const std::uint64_t number = below(12);
        switch (below(16))
        {
        case 0:
            world.wall.time += std::chrono::seconds(below(4));
            return;
        case 1:
        case 2:
            if (owners[by].store.sweep().has_value())
                owners[by].lease_end = world.wall.time + std::chrono::seconds(10);
            return;
        case 3:
            if (below(8) == 0)
            {
                owners[by].store.leave();
                owners[by].left = true;
            }
            return;
        case 4:
            if ((owners[by].left || owners[by].fenced) && owners.size() < 40)
                join();
            return;
        case 5:
            if (const auto told = owners[by].store.neglected(4))
            {
                for (const payment_record& each : *told)
                {
                    const plain_record& now =
                        open.at(std::stoull(std::string(each.key.nonce()), nullptr, 16));
                    REQUIRE((now.now == state::unknown || !alive(now.owner)));
                }
            }
            return;
        case 6:
        case 7:
        case 8:
            begin(by, number);
            return;
        default:
            change(by, number);
        }
    }

    memory_world world;
    std::mt19937 random;
    std::vector<owner> owners;
    std::map<std::uint64_t, plain_record> open;
    std::map<std::uint64_t, state> over;
    std::uint64_t last_revision = 0;
};

}  // namespace

TEST_CASE(
    "several owners on one store do what a plain map says, whoever dies when", "[ledger][memory][model]"
)
{
    const char* given = std::getenv("PORTITOR_SEED");
    const auto first = static_cast<std::uint32_t>(given != nullptr ? std::atoi(given) : 20'261'128);
    for (std::uint32_t seed = first; seed < first + 60; ++seed)
    {
        INFO("seed " << seed);
        model all(seed);
        // Well within the validity: nothing is forgotten.
        for (int i = 0; i < 150; ++i)
            all.step();
    }
}

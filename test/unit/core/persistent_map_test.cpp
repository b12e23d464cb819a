#include "catch.hpp"

#include <portitor/core/persistent_map.hpp>

#include <map>
#include <memory>
#include <random>
#include <string>

using portitor::persistent_map;

namespace {

struct item
{
    std::string name;
    int number;
};

struct name_of
{
    std::string_view operator()(const item& each) const { return each.name; }
};

using items = persistent_map<item, name_of>;
using model = std::map<std::string, int>;

items::value make(std::string name, int number)
{
    return std::make_shared<const item>(item{std::move(name), number});
}

std::string name_at(int index)
{
    return "key " + std::to_string(index);
}

void check_same(const items& real, const model& wanted, int names)
{
    REQUIRE(real.size() == wanted.size());
    int wrong = 0;
    for (int i = 0; i < names; ++i)
    {
        const auto& found = real.find(name_at(i));
        const auto at = wanted.find(name_at(i));
        const bool good =
            at == wanted.end() ? !found : found && found->name == at->first && found->number == at->second;
        wrong += good ? 0 : 1;
    }
    CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("an empty map finds nothing", "[core][persistent_map]")
{
    const items none;
    CHECK(none.size() == 0);
    CHECK_FALSE(none.find("x"));
    CHECK_FALSE(none.find(""));
    CHECK(none.without("x").size() == 0);
}

TEST_CASE("each change makes another map and leaves the old one as it was", "[core][persistent_map]")
{
    const items none;
    const items one = none.with(make("a", 1));
    const items two = one.with(make("", 2));
    const items other = two.with(make("a", 3));
    const items less = other.without("a");
    CHECK(none.size() == 0);
    CHECK_FALSE(none.find("a"));
    CHECK(one.size() == 1);
    CHECK(one.find("a")->number == 1);
    CHECK_FALSE(one.find(""));
    CHECK(two.size() == 2);
    CHECK(two.find("a")->number == 1);
    CHECK(two.find("")->number == 2);
    CHECK(other.size() == 2);
    CHECK(other.find("a")->number == 3);
    CHECK(other.find("") == two.find(""));  // shared
    CHECK(less.size() == 1);
    CHECK_FALSE(less.find("a"));
    CHECK(less.without("").size() == 0);
}

TEST_CASE("a key may be a part of the value that goes", "[core][persistent_map]")
{
    items held = items().with(make("a", 1));
    held = held.without(held.find("a")->name);
    CHECK(held.size() == 0);
    held = held.with(make("b", 2));
    held = held.with(make(held.find("b")->name, 3));
    CHECK(held.size() == 1);
    CHECK(held.find("b")->number == 3);
}

// 32768 leaves: with more values than that each holds some.
TEST_CASE("a map does what std::map does, and so does every snapshot of it", "[core][persistent_map]")
{
    const auto [names, steps] = GENERATE(std::pair(3, 300), std::pair(200, 5000), std::pair(100'000, 60'000));
    std::mt19937 random(static_cast<unsigned>(names));
    items real;
    model wanted;
    std::vector<std::pair<items, model>> snapshots;
    for (int step = 0; step < steps; ++step)
    {
        const std::string name = name_at(static_cast<int>(random() % static_cast<unsigned>(names)));
        if (random() % 5 < 3)
        {
            real = real.with(make(name, step));
            wanted[name] = step;
        }
        else
        {
            real = real.without(name);
            wanted.erase(name);
        }
        if (step % (steps / 6) == 0)
            snapshots.emplace_back(real, wanted);
    }
    check_same(real, wanted, names);
    for (const auto& [then, as_it_was] : snapshots)
        check_same(then, as_it_was, names);
    for (int i = 0; i < names; ++i)
        real = real.without(name_at(i));
    CHECK(real.size() == 0);
    for (const auto& [then, as_it_was] : snapshots)
        check_same(then, as_it_was, names);
}

TEST_CASE("a value goes with the last map that holds it", "[core][persistent_map]")
{
    std::weak_ptr<const item> watched;
    items now;
    {
        const auto made = make("a", 1);
        watched = made;
        now = now.with(made);
    }
    items then = now;
    now = now.without("a");
    CHECK_FALSE(watched.expired());
    then = {};
    CHECK(watched.expired());
}

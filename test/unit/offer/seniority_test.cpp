#include "../api/objects.hpp"
#include "catch.hpp"
#include "offer/seniority.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>

using namespace portitor;
using namespace portitor::offer;

namespace {

record_ptr offer_of(const std::string& ns, const std::string& name, int second, bool deleted = false)
{
    return offer_record::read(*test::object_from(fmt::format(
        R"({{"metadata": {{"name": "{0}", "namespace": "{1}", "uid": "{0}-{2}", "resourceVersion": "1",
            {3} "creationTimestamp": "2026-11-24T20:00:{2:02}Z"}}, "spec": {{}}}})",
        name,
        ns,
        second,
        deleted ? R"("deletionTimestamp": "2026-11-24T20:01:00Z",)" : ""
    )));
}

struct offers
{
    explicit offers(std::size_t limit) : ages(limit) {}

    seniority ages;
    std::map<kube::object_key, record_ptr> live;

    std::string put(const record_ptr& offer)
    {
        record_ptr& held = live[offer->meta.key()];
        return names(ages.update({std::exchange(held, offer), offer}));
    }
    std::string remove(const std::string& name)
    {
        const auto at = live.find({"shop", name});
        const kube::change<offer_record> gone{at->second, nullptr};
        live.erase(at);
        return names(ages.update(gone));
    }
    std::string beyond() const
    {
        std::string out;
        for (const auto& [key, each] : live)
        {
            if (ages.is_beyond(*each))
                out += key.name;
        }
        return out;
    }

    static std::string names(const std::vector<kube::object_key>& keys)
    {
        std::string out;
        for (const auto& each : keys)
            out += each.name;
        return out;
    }
};

}  // namespace

TEST_CASE("the oldest offers of a namespace are within its limit", "[controller][limits]")
{
    offers all(2);
    CHECK(all.put(offer_of("shop", "b", 2)) == "");
    CHECK(all.put(offer_of("shop", "c", 3)) == "");
    CHECK(all.beyond() == "");
    CHECK(all.put(offer_of("shop", "d", 4)) == "");
    CHECK(all.beyond() == "d");
    CHECK(all.put(offer_of("other", "x", 5)) == "");
    CHECK(all.beyond() == "d");
    // An older one that is heard of later: the one that it puts beyond the limit is looked at.
    CHECK(all.put(offer_of("shop", "a", 1)) == "c");
    CHECK(all.beyond() == "cd");
    CHECK(all.put(offer_of("shop", "a", 1)) == "");
    CHECK(all.remove("d") == "");
    CHECK(all.remove("a") == "c");
    CHECK(all.beyond() == "");
}

TEST_CASE("of the same second, the name decides who is within the limit", "[controller][limits]")
{
    offers all(1);
    all.put(offer_of("shop", "zebra", 1));
    CHECK(all.put(offer_of("shop", "ant", 1)) == "zebra");
    CHECK(all.beyond() == "zebra");
}

TEST_CASE(
    "an offer that is being deleted makes room, and so does one that is made anew", "[controller][limits]"
)
{
    offers all(1);
    all.put(offer_of("shop", "a", 1));
    all.put(offer_of("shop", "b", 2));
    CHECK(all.put(offer_of("shop", "a", 1, true)) == "b");
    CHECK(all.beyond() == "");
    CHECK(all.remove("a") == "");
    CHECK(all.put(offer_of("shop", "a", 9)) == "");
    CHECK(all.beyond() == "a");
}

TEST_CASE("an offer that is not ours to sell takes nobody's place", "[controller][limits]")
{
    offers all(1);
    auto left_out = std::make_shared<offer_record>(*offer_of("shop", "a", 1));
    left_out->selected = false;
    auto held = std::make_shared<offer_record>(*offer_of("shop", "b", 2));
    held->meta.finalizers = {"monetize.obol.org/finalizer"};
    all.put(left_out);
    all.put(held);
    all.put(offer_of("shop", "c", 3));
    CHECK_FALSE(all.ages.is_beyond(*all.live.at({"shop", "c"})));
    // Each is one more as soon as it is.
    CHECK(all.put(offer_of("shop", "b", 2)) == "c");
    CHECK(all.beyond() == "c");
    CHECK(all.put(held) == "c");
    CHECK(all.put(offer_of("shop", "a", 1)) == "c");
    CHECK(all.put(left_out) == "c");
    CHECK_FALSE(all.ages.is_beyond(*all.live.at({"shop", "c"})));
}

TEST_CASE("without a limit nobody is beyond it", "[controller][limits]")
{
    offers all(0);
    for (int i = 0; i < 50; ++i)
        CHECK(all.put(offer_of("shop", std::to_string(i), i)) == "");
    CHECK(all.beyond() == "");
}

TEST_CASE("whoever comes and goes, everybody whose standing changes is looked at", "[controller][limits]")
{
    std::mt19937 random(7);
    offers all(3);
    std::string before;
    for (int step = 0; step < 2000; ++step)
    {
        const std::string name(1, static_cast<char>('a' + random() % 8));
        std::string moved;
        if (all.live.contains({"shop", name}) && random() % 2 == 0)
            moved = all.remove(name);
        else
            moved = all.put(offer_of("shop", name, static_cast<int>(random() % 5), random() % 6 == 0));
        const std::string after = all.beyond();
        for (const char each : std::string("abcdefgh"))
        {
            const bool has_changed = (before.find(each) == before.npos) != (after.find(each) == after.npos);
            const record_ptr live = all.live.contains({"shop", std::string(1, each)})
                                        ? all.live.at({"shop", std::string(1, each)})
                                        : nullptr;
            if (has_changed && live && !live->meta.deleted && each != name[0])
                CHECK(moved.find(each) != moved.npos);
        }
        before = after;
    }
}

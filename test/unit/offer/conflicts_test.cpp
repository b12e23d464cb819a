#include "../api/objects.hpp"
#include "catch.hpp"
#include "offer/path_index.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>

using namespace portitor;
using namespace portitor::offer;

namespace {

struct written
{
    std::string name;
    int second;  // of its creation
    std::string path;
    std::string host = "";
};

record_ptr offer_of(const written& from)
{
    return offer_record::read(*test::object_from(fmt::format(
        R"({{"metadata": {{"name": "{}", "namespace": "shop", "uid": "{}", "resourceVersion": "1",
            "creationTimestamp": "2026-11-24T20:{:02}:{:02}Z"}},
            "spec": {{"path": "{}", "hostname": "{}"}}}})",
        from.name,
        from.name,
        from.second / 60,
        from.second % 60,
        from.path,
        from.host
    )));
}

// The index, and what it was told: who has lost, and to whom, as "loser<winner".
struct offers
{
    path_index index;
    std::map<kube::object_key, record_ptr> live;

    std::vector<kube::object_key> put(const written& offer) { return put(offer_of(offer)); }
    std::vector<kube::object_key> put(const record_ptr& offer, bool given_up = false)
    {
        record_ptr& held = live[offer->meta.key()];
        return index.update(
            {std::exchange(held, offer), offer}, given_up ? std::nullopt : std::optional(offer->where)
        );
    }
    std::vector<kube::object_key> remove(const std::string& name)
    {
        const auto at = live.find({"shop", name});
        const kube::change<offer_record> gone{at->second, nullptr};
        live.erase(at);
        return index.update(gone, std::nullopt);
    }
    std::string owner(const std::string& name) const { return index.owner_before({"shop", name}); }
    std::string losers() const
    {
        std::string out;
        for (const auto& [key, offer] : live)
        {
            if (const std::string owner = index.owner_before(key); !owner.empty())
                out += (out.empty() ? "" : " ") + key.name + "<" + owner.substr(owner.find('/') + 1);
        }
        return out;
    }
};

std::string names(const std::vector<kube::object_key>& keys)
{
    std::string out;
    for (const auto& each : keys)
        out += (out.empty() ? "" : " ") + each.name;
    return out;
}

}  // namespace

TEST_CASE("which places are in each other's way", "[controller][conflicts]")
{
    struct row
    {
        written older;
        written younger;
        bool conflict;
    };
    const auto each = GENERATE(values<row>({
        {{"a", 1, "/x"}, {"b", 2, "/x"}, true},
        {{"a", 1, "/x"}, {"b", 2, "/y"}, false},
        {{"a", 1, "/x"}, {"b", 2, "/xy"}, false},
        {{"a", 1, "/x"}, {"b", 2, "/x/y"}, true},
        {{"a", 1, "/x/y"}, {"b", 2, "/x"}, true},
        {{"a", 1, "/x/y/z/w"}, {"b", 2, "/x"}, true},
        {{"a", 1, "/x/y"}, {"b", 2, "/x/z"}, false},
        // Spellings of one path.
        {{"a", 1, "/x"}, {"b", 2, "/X"}, true},
        {{"a", 1, "/Services/A"}, {"b", 2, "/services/a/B"}, true},
        {{"a", 1, "/x"}, {"b", 2, "/x/"}, true},
        {{"a", 1, "/x//y"}, {"b", 2, "/x/y"}, true},
        {{"a", 1, ""}, {"b", 2, "/services/a"}, true},
        {{"a", 1, ""}, {"b", 2, "/Services/A/"}, true},
        {{"a", 1, ""}, {"b", 2, ""}, false},
        // Hosts.
        {{"a", 1, "/x", "one.example"}, {"b", 2, "/x", "two.example"}, false},
        {{"a", 1, "/x", "one.example"}, {"b", 2, "/x", "one.example"}, true},
        {{"a", 1, "/x", "one.example"}, {"b", 2, "/x", "ONE.example"}, true},
        {{"a", 1, "/x", ""}, {"b", 2, "/x", "one.example"}, false},
        {{"a", 1, "/x", "one.example"}, {"b", 2, "/x", ""}, false},
        {{"a", 1, "/", "one.example"}, {"b", 2, "/x", ""}, false},
        {{"a", 1, "/x/y", ""}, {"b", 2, "/", "one.example"}, false},
        {{"a", 1, "/", "one.example"}, {"b", 2, "/", "two.example"}, false},
        // What can never be published is in nobody's way.
        {{"a", 1, "/"}, {"b", 2, "/x"}, false},
        {{"a", 1, "/services"}, {"b", 2, "/services/b"}, false},
        {{"a", 1, "/SERVICES/"}, {"b", 2, "/services/b"}, false},
        {{"a", 1, "/api"}, {"b", 2, "/API/b"}, false},
    }));
    CAPTURE(each.older.path, each.older.host, each.younger.path, each.younger.host);
    for (const bool older_first : {true, false})
    {
        offers all;
        all.put(older_first ? each.older : each.younger);
        all.put(older_first ? each.younger : each.older);
        CHECK(all.losers() == (each.conflict ? "b<a" : ""));
    }
}

TEST_CASE("of the same second, the name decides", "[controller][conflicts]")
{
    offers all;
    all.put({"zebra", 1, "/x"});
    CHECK(names(all.put({"ant", 1, "/x"})) == "zebra");
    CHECK(all.losers() == "zebra<ant");
}

TEST_CASE("the next one takes over when the winner goes, moves or gives up", "[controller][conflicts]")
{
    offers all;
    all.put({"a", 1, "/x"});
    all.put({"b", 2, "/x/y"});
    all.put({"c", 3, "/x"});
    CHECK(all.losers() == "b<a c<a");
    SECTION("goes")
    {
        CHECK(names(all.remove("a")) == "b c");
        CHECK(all.losers() == "c<b");
    }
    SECTION("moves")
    {
        CHECK(names(all.put({"a", 1, "/elsewhere"})) == "b c");
        CHECK(all.losers() == "c<b");
        CHECK(names(all.put({"a", 1, "/x/z"})) == "c");
        CHECK(names(all.put({"a", 1, "/X"})) == "b c");
        CHECK(all.losers() == "b<a c<a");
    }
    SECTION("gives up, and asks again")
    {
        const auto drained = all.live.at({"shop", "a"});
        CHECK(names(all.put(drained, true)) == "b c");
        CHECK(all.losers() == "c<b");
        CHECK(names(all.put(drained, true)) == "");
        CHECK(names(all.put(drained)) == "b c");
        CHECK(all.losers() == "b<a c<a");
    }
    SECTION("is made again under its name, now the youngest")
    {
        all.remove("a");
        CHECK(names(all.put({"a", 9, "/x"})) == "");
        CHECK(all.losers() == "a<b c<b");
    }
}

TEST_CASE(
    "an offer that keeps many from their places is told from one that keeps a few", "[controller][conflicts]"
)
{
    offers all;
    all.put({"a", 1, "/x"});
    for (int i = 2; i <= 6; ++i)
        all.put({"b" + std::to_string(i), i, i % 2 ? "/x" : "/x/y"});
    CHECK_FALSE(all.index.is_crowded({"shop", "b2"}));
    CHECK_FALSE(all.index.is_crowded({"shop", "a"}));
    all.put({"b7", 7, "/x"});
    CHECK(all.index.is_crowded({"shop", "b2"}));
    CHECK(all.index.is_crowded({"shop", "b7"}));
    CHECK_FALSE(all.index.is_crowded({"shop", "a"}));
    CHECK_FALSE(all.index.is_crowded({"shop", "none"}));
}

TEST_CASE("an offer that has lost is in nobody's way", "[controller][conflicts]")
{
    offers all;
    all.put({"deep", 1, "/x/y"});
    all.put({"wide", 2, "/x"});
    all.put({"side", 3, "/x/z"});
    CHECK(all.losers() == "wide<deep");
    // The wide one takes over, and the side one, which was sold, has to give way: it is younger.
    CHECK(names(all.remove("deep")) == "side wide");
    CHECK(all.losers() == "side<wide");
}

TEST_CASE("a change elsewhere concerns nobody", "[controller][conflicts]")
{
    offers all;
    all.put({"a", 1, "/x"});
    all.put({"b", 2, "/x"});
    CHECK(names(all.put({"c", 3, "/y"})) == "");
    CHECK(names(all.put({"a", 1, "/x"})) == "");
    CHECK(names(all.remove("b")) == "");
    CHECK(all.owner("b").empty());
}

TEST_CASE("paths deeper than are told apart cost no more", "[controller][conflicts]")
{
    std::string deep;
    for (int i = 0; i < 200; ++i)
        deep += "/a";
    offers all;
    all.put({"a", 1, deep});
    all.put({"b", 2, deep + "/b"});
    all.put({"c", 3, "/a/b"});
    CHECK(all.losers() == "b<a");
    all.remove("a");
    CHECK(all.losers().empty());
}

TEST_CASE("fifty offers of one second settle the same way in every order", "[controller][conflicts]")
{
    std::vector<written> fifty;
    for (int i = 0; i < 50; ++i)
        fifty.push_back({fmt::format("offer-{:02}", i), 7, i % 2 == 0 ? "/shared" : "/shared/below"});
    std::mt19937 random(1);
    for (int round = 0; round < 20; ++round)
    {
        std::shuffle(fifty.begin(), fifty.end(), random);
        offers all;
        for (const written& each : fifty)
            all.put(each);
        for (const written& each : fifty)
            CHECK(all.owner(each.name) == (each.name == "offer-00" ? "" : "shop/offer-00"));
    }
}

TEST_CASE("ten thousand offers on one path, and as many beside each other", "[controller][conflicts]")
{
    offers all;
    for (int i = 0; i < 10000; ++i)
    {
        all.put({fmt::format("same-{:05}", i), 5, "/same"});
        all.put({fmt::format("own-{:05}", i), 5, fmt::format("/services/{}", i)});
        all.put({fmt::format("host-{:05}", i), 6, "/", fmt::format("h{}.example", i)});
    }
    CHECK(all.owner("same-09999") == "shop/same-00000");
    CHECK(all.owner("own-09999").empty());
    CHECK(all.owner("host-09999").empty());
    CHECK(all.index.hosts().size() == 10000);
    CHECK(all.remove("same-00000").size() == 9999);
    CHECK(all.owner("same-09999") == "shop/same-00001");
}

namespace {

// What the index is to answer, worked out by the rule's own words.
std::map<std::string, std::string> settled(const std::map<kube::object_key, record_ptr>& live)
{
    std::vector<record_ptr> by_age;
    for (const auto& [key, offer] : live)
        by_age.push_back(offer);
    std::sort(by_age.begin(), by_age.end(), [](const auto& left, const auto& right) {
        return std::pair(left->meta.created, left->meta.key()) <
               std::pair(right->meta.created, right->meta.key());
    });
    std::vector<record_ptr> have;
    std::map<std::string, std::string> out;
    for (const auto& each : by_age)
    {
        const place& mine = each->where;
        if (is_reserved(mine))
            continue;
        const auto at = std::find_if(have.begin(), have.end(), [&](const auto& other) {
            const place& theirs = other->where;
            return mine.host == theirs.host &&
                   (is_at_or_below(mine.path, theirs.path) || is_at_or_below(theirs.path, mine.path));
        });
        if (at == have.end())
            have.push_back(each);
        else
            out[each->meta.name] = (*at)->meta.key().to_string();
    }
    return out;
}

}  // namespace

TEST_CASE(
    "whatever happens, the index says what the rule says, and names who is concerned",
    "[controller][conflicts]"
)
{
    const std::vector<std::string> paths{
        "/", "/x", "/X/", "/x/y", "/x/y/z", "/x/w", "/v", "/v/u", "/services", "/services/n1", ""};
    const std::vector<std::string> hosts{"", "", "one.example", "two.example", "One.Example"};
    std::mt19937 random(20261126);
    const auto draw = [&](std::size_t below) { return std::size_t(random() % below); };
    for (int round = 0; round < 60; ++round)
    {
        offers all;
        std::map<std::string, std::string> before;
        for (int step = 0; step < 80; ++step)
        {
            const std::string name = fmt::format("n{}", draw(9));
            const auto at = all.live.find({"shop", name});
            std::vector<kube::object_key> told;
            if (at != all.live.end() && draw(3) == 0)
                told = all.remove(name);
            else
            {
                // An offer keeps its age through its edits.
                const int age = at == all.live.end() || draw(10) == 0 ? int(draw(4)) : -1;
                auto made =
                    offer_of({name, std::max(age, 0), paths[draw(paths.size())], hosts[draw(hosts.size())]});
                if (age < 0)
                {
                    auto kept = std::make_shared<offer_record>(*made);
                    kept->meta.created = at->second->meta.created;
                    made = kept;
                }
                told = all.put(made);
            }
            const auto now = settled(all.live);
            for (int i = 0; i < 9; ++i)
            {
                const std::string each = fmt::format("n{}", i);
                const auto is = now.find(each);
                const auto was = before.find(each);
                const std::string owner = is == now.end() ? "" : is->second;
                INFO("round " << round << " step " << step << " offer " << each);
                REQUIRE(all.owner(each) == owner);
                if (each != name && owner != (was == before.end() ? "" : was->second))
                    REQUIRE(std::count(told.begin(), told.end(), kube::object_key{"shop", each}) == 1);
            }
            before = now;
        }
        // Heard of in another order, it is the same.
        std::vector<record_ptr> shuffled;
        for (const auto& [key, offer] : all.live)
            shuffled.push_back(offer);
        std::shuffle(shuffled.begin(), shuffled.end(), random);
        offers again;
        for (const auto& each : shuffled)
            again.put(each);
        REQUIRE(again.losers() == all.losers());
    }
}

TEST_CASE(
    "whoever is published keeps the place from older offers, and from those that were never there",
    "[offer][conflicts]"
)
{
    using namespace std::chrono_literals;
    const clock::time_point start = clock::time_point() + 1'000h;
    place_memory rights;
    const record_ptr older = offer_of({"older", 1, "/shared"});
    const record_ptr younger = offer_of({"younger", 2, "/shared"});
    const place where = younger->where;
    const place elsewhere{"", "/elsewhere"};

    // The older one sells elsewhere, and the younger one here.
    CHECK(rights.note(*older, elsewhere, true, start) == clock::time_point::min());
    CHECK(rights.note(*younger, where, false, start) == place_memory::never);
    CHECK(rights.note(*younger, where, true, start + 1s) == start + 1s);
    CHECK(rights.note(*younger, where, true, start + 2s) == start + 1s);
    // Now it asks for the younger one's place, and so gives up its own.
    const auto moved = rights.note(*older, where, false, start + 3s);
    CHECK(moved == place_memory::never);
    offers all;
    all.index.update({nullptr, younger}, where, start + 1s);
    CHECK(all.index.update({nullptr, older}, where, moved).empty());
    CHECK(all.owner("older") == "shop/younger");
    CHECK(all.owner("younger").empty());

    // Withheld, it has its right for a day: whoever has come in between goes.
    CHECK(rights.note(*younger, where, false, start + 1h) == start + 1s);
    all.index.update({younger, younger}, std::nullopt);
    CHECK(rights.note(*older, where, true, start + 2h) == start + 2h);
    all.index.update({older, older}, where, start + 2h);
    CHECK(all.owner("older").empty());
    const auto mended = rights.note(*younger, where, false, start + 3h);
    CHECK(mended == start + 1s);
    CHECK(
        all.index.update({younger, younger}, where, mended) ==
        std::vector<kube::object_key>{{"shop", "older"}}
    );
    CHECK(all.owner("older") == "shop/younger");
    CHECK(rights.note(*younger, where, true, start + 4h) == start + 1s);

    // A day is over: it comes like any other.
    CHECK(rights.note(*younger, where, false, start + 5h) == start + 1s);
    CHECK(rights.note(*younger, where, false, start + 30h) == place_memory::never);
    // What has been made anew under its name is another one.
    CHECK(rights.note(*older, where, false, start + 30h) == start + 2h);
    rights.forget({"shop", "older"});
    CHECK(rights.note(*older, where, false, start + 30h) == place_memory::never);
}

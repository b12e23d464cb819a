#include "catch.hpp"
#include "discovery_world.hpp"

#include <chrono>

using namespace portitor;
using namespace portitor::controller;
using namespace portitor::offer;
using Catch::Matchers::Contains;
using test::changed;
using test::discovery_world;
using test::registered_world;
using test::world;

namespace {

std::size_t count(const std::string& text, const std::string& part)
{
    std::size_t found = 0;
    for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1))
        ++found;
    return found;
}

std::size_t listed(discovery_world& all)
{
    return count(all.documents.services()->text, "\"endpoint\"");
}

world draining_at(const std::string& time)
{
    world out;
    out.edit("/spec/drainAt", '"' + time + '"');
    out.sell();
    return out;
}

}  // namespace

TEST_CASE("the lists follow the offers, in the order of their names", "[controller][discovery][catalogue]")
{
    discovery_world all;
    CHECK(all.documents.services()->text == R"({"services":[]})");
    all.put(discovery_world::named(registered_world(), "zebra"));
    all.put(discovery_world::named(registered_world(), "ape"));
    all.time.advance(std::chrono::seconds(1));
    const std::string text = all.documents.services()->text;
    CHECK(text.find("\"ape\"") < text.find("\"zebra\""));
    CHECK(listed(all) == 2);
    CHECK(all.documents.size() == 2);
    CHECK(count(all.documents.registrations()->text, "\"agentId\":7") == 2);
    CHECK_THAT(all.documents.registrations()->text, Contains("agent-registration/uid-of-ape.json"));

    all.remove({"shop", "zebra"});
    all.time.advance(std::chrono::seconds(1));
    CHECK(listed(all) == 1);
    CHECK(count(all.documents.registrations()->text, "\"agentId\":7") == 1);
}

TEST_CASE("a document is known by the hash of its text", "[controller][discovery][catalogue]")
{
    discovery_world all;
    const auto empty = all.documents.services();
    CHECK(empty->etag == '"' + api::sha256_hex(empty->text, 32) + '"');
    all.put(registered_world());
    all.time.advance(std::chrono::seconds(1));
    CHECK(all.documents.services()->etag != empty->etag);
    all.remove({"shop", "hello"});
    all.time.advance(std::chrono::seconds(1));
    CHECK(all.documents.services()->etag == empty->etag);
}

TEST_CASE("a change that the lists do not tell makes no new ones", "[controller][discovery][catalogue]")
{
    discovery_world all;
    world offer = registered_world();
    all.put(offer);
    const auto before = all.documents.services();
    offer.offer = changed(offer.offer, "/metadata/labels", R"({"team": "a"})");
    all.put(offer);
    all.time.advance(std::chrono::seconds(5));
    CHECK(all.documents.services() == before);
}

TEST_CASE(
    "offers are looked at when somebody asks, once, and at most once a second",
    "[controller][discovery][catalogue]"
)
{
    discovery_world all;
    all.documents.services();
    for (int i = 0; i < 5; ++i)
        all.put(registered_world());
    all.time.advance(std::chrono::seconds(1));
    all.looks = 0;
    CHECK(listed(all) == 1);
    CHECK(all.looks == 1);
    CHECK(listed(all) == 1);
    CHECK(all.looks == 1);

    all.remove({"shop", "hello"});
    all.looks = 0;
    all.time.advance(std::chrono::milliseconds(999));
    CHECK(listed(all) == 1);
    CHECK(all.looks == 0);
    all.time.advance(std::chrono::milliseconds(1));
    CHECK(listed(all) == 0);
    // After a quiet time the next change shows at once.
    all.time.advance(std::chrono::seconds(60));
    all.put(registered_world());
    CHECK(listed(all) == 1);
}

TEST_CASE("an offer leaves the lists at its drainAt, without an event", "[controller][discovery][catalogue]")
{
    discovery_world all;
    all.put(draining_at("2026-11-24T20:00:10Z"));
    all.put(discovery_world::named(draining_at("2026-11-24T20:00:20Z"), "later"));
    CHECK(listed(all) == 2);
    all.time.advance(std::chrono::seconds(10));
    all.wall.time += std::chrono::milliseconds(9999);
    CHECK(listed(all) == 2);
    all.wall.time += std::chrono::milliseconds(1);
    CHECK(listed(all) == 1);
    all.time.advance(std::chrono::seconds(10));
    all.wall.time += std::chrono::seconds(10);
    CHECK(listed(all) == 0);
    // Taking drainAt back lists it again.
    all.put(draining_at("2027-01-01T00:00:00Z"));
    all.time.advance(std::chrono::seconds(1));
    CHECK(listed(all) == 1);
}

TEST_CASE("one document is as new as the stores", "[controller][discovery][catalogue]")
{
    discovery_world all;
    const kube::object_key key{"shop", "hello"};
    CHECK_FALSE(all.documents.registration(key));
    world offer = registered_world();
    all.put(offer);
    REQUIRE(all.documents.registration(key));
    CHECK_THAT(all.documents.registration(key)->text, Contains("\"active\":true"));
    offer.unhealthy(1);
    offer.settle();
    all.put(offer);
    CHECK_THAT(all.documents.registration(key)->text, Contains("\"active\":false"));
    all.remove(key);
    CHECK_FALSE(all.documents.registration(key));
}

TEST_CASE("ten thousand offers are no burden", "[controller][discovery][catalogue]")
{
    discovery_world all;
    const world one = registered_world();
    for (int i = 0; i < 10'000; ++i)
        all.put(discovery_world::named(one, "offer-" + std::to_string(i)));
    const auto started = std::chrono::steady_clock::now();
    CHECK(listed(all) == 10'000);
    const auto listing = std::chrono::steady_clock::now();
    all.remove({"shop", "offer-5000"});
    all.time.advance(std::chrono::seconds(1));
    CHECK(listed(all) == 9'999);
    const auto ended = std::chrono::steady_clock::now();
    INFO(
        "all " << (listing - started).count() / 1000 << " us, one " << (ended - listing).count() / 1000
               << " us"
    );
    // Far above what it takes, also under a sanitizer: this is no benchmark.
    CHECK(ended - started < std::chrono::seconds(60));
}

TEST_CASE("each host has its own lists", "[controller][discovery][catalogue]")
{
    discovery_world all;
    const auto hosted = [](const std::string& name, const std::string& host) {
        test::world made = registered_world();
        made.offer = test::changed(made.offer, "/spec/hostname", '"' + host + '"');
        return discovery_world::named(std::move(made), name);
    };
    all.put(discovery_world::named(registered_world(), "plain"));
    all.put(hosted("named", "api.example.com"));
    all.put(hosted("own", "own.example.org"));
    const auto tells = [&](const std::string& host) {
        std::string out;
        for (const std::string name : {"plain", "named", "own"})
        {
            const std::string part = "uid-of-" + name + ".json";
            const bool in_services = all.documents.services(host)->text.find(part) != std::string::npos;
            const bool in_agents = all.documents.registrations(host)->text.find(part) != std::string::npos;
            CHECK(in_services == in_agents);
            out += in_services ? name + " " : "";
        }
        return out;
    };
    CHECK(tells("") == "plain named ");
    CHECK(tells("own.example.org") == "own ");
    CHECK(tells("other.example.org").empty());
    CHECK_THAT(
        all.documents.registrations("own.example.org")->text,
        Contains(R"("name":"own.example.org")") && Contains("https://own.example.org/api/services.json")
    );
    CHECK(all.documents.registration({"shop", "own"}));
    CHECK(all.documents.registration({"shop", "own"}, "own.example.org"));
    CHECK_FALSE(all.documents.registration({"shop", "plain"}, "own.example.org"));

    // It moves, and is told of at the new host alone.
    all.put(hosted("own", "new.example.org"));
    all.time.advance(std::chrono::seconds(1));
    CHECK(tells("own.example.org").empty());
    CHECK(tells("new.example.org") == "own ");
    const auto before = all.documents.services();
    all.remove({"shop", "own"});
    all.time.advance(std::chrono::seconds(1));
    CHECK(tells("new.example.org").empty());
    // What happens at one host is nothing to another's documents.
    CHECK(all.documents.services() == before);
}

#include "catch.hpp"
#include "offer/offer_record.hpp"
#include "offer_world.hpp"

#include <portitor/api/names.hpp>

#include <malloc.h>

using namespace portitor;
using namespace portitor::offer;
using test::changed;
using test::world;

namespace {

const char* held = R"(["other.example/wait", "obol.org/portitor"])";

kube::object_ptr leaving()
{
    world all;
    all.sell();
    all.edit("/spec/path", "\"/there\"");
    all.mark_deleted();
    return changed(all.offer, "/metadata/finalizers", held);
}

}  // namespace

TEST_CASE("an offer is read once, with its status", "[controller][record]")
{
    world all;
    all.sell();
    const record_ptr read = offer_record::read(*all.offer);
    REQUIRE(read->spec);
    CHECK(read->unreadable.empty());
    CHECK(read->where.path == "/services/hello");
    CHECK(read->upstream.to_string() == "shop/web");
    CHECK(read->status.phase == "Ready");
    CHECK(read->status.endpoint == "https://api.example.com/services/hello");
    CHECK(read->status.find_present("Ready", read->meta.generation)->is_true());
    CHECK_FALSE(read->status.find_present("Ready", read->meta.generation + 1));
    CHECK_FALSE(read->status.find_present("Nothing", read->meta.generation));
}

TEST_CASE("an offer that cannot be read keeps its place, its holders and its end", "[controller][record]")
{
    boost::json::object raw = leaving()->raw;
    const record_ptr stand_in =
        offer_record::stand_in(leaving()->meta, std::move(raw), "spec.routes has more than 8388608 bytes");
    CHECK_FALSE(stand_in->spec);
    CHECK_THAT(stand_in->unreadable, Catch::Matchers::Contains("spec.routes has more than 8388608 bytes"));
    CHECK_FALSE(stand_in->identity_only);
    CHECK(stand_in->meta.finalizers.size() == 2);
    CHECK(stand_in->meta.deleted.has_value());
    CHECK(stand_in->where.path == "/there");
    CHECK(stand_in->upstream.to_string() == "shop/web");
}

TEST_CASE("of what nothing is known no finalizer and no place is taken", "[controller][record]")
{
    world all;
    observation seen = all.observation();
    seen.offer = offer_record::stand_in(all.offer->meta, {}, "std::bad_alloc");
    CHECK(seen.offer->identity_only);
    CHECK(seen.offer->meta.key() == all.offer->meta.key());
    CHECK(is_reserved(seen.offer->where));
    const plan todo = make_plan(seen, all.settings, all.now);
    CHECK_FALSE(todo.add_finalizer);
    CHECK_FALSE(todo.remove_finalizer);
    REQUIRE(todo.blocked);
    CHECK(todo.blocked->reason == "InvalidSpec");
}

// Of each of the largest offers that the schema takes, what stays in memory is of the size of its text.
TEST_CASE("an offer costs no more memory than its text", "[controller][record]")
{
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
    world all;
    std::string routes;
    for (int i = 0; i < 128; ++i)
    {
        std::string path = "/" + std::to_string(1000 + i);
        while (path.size() < 510)
            path += "/a";
        routes += (i == 0 ? "" : ",") + fmt::format(R"({{"path": "{}", "gate": "free"}})", path);
    }
    all.edit("/spec/routes", "[" + routes + "]");
    REQUIRE(offer_record::read(*all.offer)->spec);
    constexpr std::size_t count = 20;
    const auto before = mallinfo2().uordblks;
    std::vector<record_ptr> kept;
    for (std::size_t i = 0; i < count; ++i)
        kept.push_back(offer_record::read(*all.offer));
    const auto each = (mallinfo2().uordblks - before) / count;
    CAPTURE(each, routes.size());
    CHECK(each < 4 * routes.size());
#endif
}

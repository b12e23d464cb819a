#include "../api/objects.hpp"
#include "catch.hpp"
#include "offer/former_routes.hpp"

#include <fmt/format.h>

using namespace portitor;
using namespace portitor::offer;
using namespace std::chrono_literals;

namespace {

struct remembered
{
    former_routes routes;
    former_routes::time_point now{1h};

    void change(const std::string& ns, std::size_t number)
    {
        routes.note(
            test::object_from(fmt::format(
                R"({{"metadata": {{"name": "route-{}", "namespace": "{}"}}, "spec": {{}}}})", number, ns
            )),
            now
        );
    }

    bool knows(const std::string& ns, std::size_t number) const
    {
        const auto name = fmt::format("{}/route-{}", ns, number);
        return !routes
                    .find(
                        now,
                        [&](const kube::object& each) {
                            return each.meta.key().to_string() == name ? name : std::string();
                        }
                    )
                    .empty();
    }
};

}  // namespace

TEST_CASE("what an HTTPRoute was is known for ten minutes", "[controller][proof]")
{
    remembered all;
    all.change("bob", 1);
    all.now += 10min - 1s;
    CHECK(all.knows("bob", 1));
    all.now += 1s;
    CHECK_FALSE(all.knows("bob", 1));
}

TEST_CASE("who changes many HTTPRoutes forgets his own, and that is known", "[controller][proof]")
{
    remembered all;
    all.change("alice", 1);
    for (std::size_t i = 0; i < former_routes::most; ++i)
        all.change("bob", i);
    CHECK(all.knows("bob", 0));
    CHECK_FALSE(all.routes.forgotten(all.now));
    all.now += 1min;
    for (std::size_t i = 0; i < 1000; ++i)
        all.change("bob", 1000 + i);
    CHECK(all.knows("alice", 1));
    CHECK_FALSE(all.knows("bob", 0));
    CHECK(all.routes.forgotten(all.now));
    // As long as the last that was forgotten would be known.
    all.now += 10min - 1s;
    CHECK(all.routes.forgotten(all.now));
    all.now += 1s;
    CHECK_FALSE(all.routes.forgotten(all.now));
}

#include "../../offer/offer_world.hpp"
#include "catch.hpp"
#include "roles/controller/offer_metrics.hpp"

using namespace portitor;
using Catch::Matchers::Contains;
using test::changed;
using test::world;

TEST_CASE("offers are counted by phase", "[controller][metrics]")
{
    metrics numbers;
    controller::offer_metrics counted(numbers);
    const auto says = [&](const std::string& phase, int count) {
        return Contains("portitor_offers{phase=\"" + phase + "\"} " + std::to_string(count) + "\n");
    };
    const kube::object_ptr fresh = world().offer;
    const kube::object_ptr ready = changed(fresh, "/status", R"({"phase": "Ready"})");
    const kube::object_ptr forged = changed(fresh, "/status", R"({"phase": "\"} 7\n"})");
    const auto update = [&](const kube::object_ptr& before, const kube::object_ptr& after) {
        const auto read = [](const kube::object_ptr& of) {
            return of ? offer::offer_record::read(*of) : nullptr;
        };
        counted.update({read(before), read(after)});
    };
    update(nullptr, fresh);
    update(nullptr, ready);
    CHECK_THAT(numbers.expose(), says("", 1));
    CHECK_THAT(numbers.expose(), says("Ready", 1));
    update(fresh, ready);
    CHECK_THAT(numbers.expose(), says("Ready", 2));
    update(ready, forged);
    CHECK_THAT(numbers.expose(), says("", 1));
    update(ready, nullptr);
    CHECK_THAT(numbers.expose(), says("Ready", 0));
}

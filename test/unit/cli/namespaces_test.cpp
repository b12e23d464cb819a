#include "command_world.hpp"

#include <portitor/api/resources.hpp>

using namespace portitor;
using portitor::cli::samples::command_world;

namespace {

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

/// An offer in each of two namespaces.
struct two_shops : command_world
{
    two_shops()
    {
        offer("shop", "hello");
        offer("other", "there");
        // Nobody has looked at them: for more than a new offer's time.
        pass(std::chrono::minutes(2));
    }

    void offer(const std::string& ns, const std::string& name)
    {
        create(
            api::service_offer_resource,
            R"({"apiVersion":"obol.org/v1alpha1","kind":"ServiceOffer","metadata":{"namespace":")" + ns +
                R"(","name":")" + name +
                R"("},"spec":{"upstream":{"service":"web","port":8080},"payment":{"network":"base-sepolia",)"
                R"("payTo":"0x14dC79964da2C08b23698B3D3cc7Ca32193d9955","price":{"perRequest":"0.001"}}}})"
        );
    }
};

}  // namespace

TEST_CASE_METHOD(two_shops, "-n says where once looks", "[cli][once]")
{
    const auto all = run({"once", "-n", "shop"});
    CHECK(has(all.out, "shop/hello"));
    CHECK_FALSE(has(all.out, "other/there"));
    CHECK(all.code == 2);
    const auto named = run({"once", "--namespace=other", "there"});
    CHECK(has(named.out, "other/there"));
    CHECK_FALSE(has(named.out, "shop/hello"));
    CHECK(has(run({"-n", "other", "once", "shop/hello"}).out, "shop/hello"));
    CHECK(has(run({"once", "-n", "shop", "there"}).err, "ServiceOffer shop/there is not there"));
    const auto both = run({"once", "-A", "-n", "shop"});
    CHECK(both.code == 1);
    CHECK(has(both.err, "-A is for all namespaces"));
    // Where Portitor runs is another thing.
    CHECK(has(run({"once", "-n", "shop"}).out, "portitor/portitor-config"));
}

TEST_CASE_METHOD(two_shops, "-n says whose offers doctor looks at", "[cli][doctor]")
{
    const auto all = run({"doctor", "--offline", "--only=offers"});
    CHECK(has(all.out, "2 offers are not Ready"));
    const auto one = run({"-n", "shop", "doctor", "--offline", "--only=offers"});
    CHECK(has(one.out, "one offer is not Ready"));
    CHECK(has(one.out, "shop/hello"));
    CHECK_FALSE(has(one.out, "other/there"));
}

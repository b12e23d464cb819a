#include "catch.hpp"
#include "hand_made_process.hpp"
#include "roles/controller/controller.hpp"
#include "roles/named.hpp"
#include "roles/registrar/registrar.hpp"
#include "roles/registry.hpp"
#include "roles/verifier/verifier.hpp"
#include "run.hpp"

#include <portitor/config/groups.hpp>

using namespace portitor;
using portitor::test::hand_made_process;

namespace {

// What a role says when it is run.
std::string said(hand_made_process& around, roles::role& work)
{
    const auto ended = portitor::test::run(around.context, work.run());
    return ended ? "no error" : ended.error().message();
}

}  // namespace

TEST_CASE("a role works with the API server that its process gives it", "[roles]")
{
    hand_made_process around;
    const auto controller = roles::make_controller(around.process(), config::defaults<controller::options>());
    CHECK(said(around, *controller) == "there is no API server");
    const auto registrar = roles::make_registrar(around.process(), config::defaults<registrar::options>());
    CHECK(said(around, *registrar) == "there is no API server");
    const auto verifier = roles::make_verifier(around.process(), config::defaults<verifier::options>());
    CHECK(said(around, *verifier) == "there is no API server");
}

TEST_CASE("roles are found by their names, and told with what they do", "[roles]")
{
    const auto all = roles::all_roles();
    for (const char* name : {"controller", "verifier", "registrar"})
    {
        const roles::role_entry* found = roles::find_named(all, name);
        REQUIRE(found != nullptr);
        config::loader into("portitor", "", "");
        found->set_up()->declare(into);
    }
    CHECK(roles::find_named(all, "verifer") == nullptr);
    CHECK(roles::list_named(all).find("  verifier    answers the gateway") != std::string::npos);
}

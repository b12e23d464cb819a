#include "catch.hpp"
#include "files.hpp"

#include <portitor/kube/kubeconfig_files.hpp>

#include <filesystem>

using namespace portitor;
using namespace portitor::kube;
using portitor::test::environment_variable;
using portitor::test::temp_folder;

namespace {

const char* contexts = "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
                       "contexts:\n- name: here\n  context: {cluster: c, user: u, namespace: sellers}\n"
                       "- name: there\n  context: {cluster: c, user: u}\n";

kubeconfig_choice found(const std::string& context = "")
{
    auto choice = find_kubeconfig(context);
    INFO(choice.error().message());
    REQUIRE(choice.has_value());
    return *choice;
}

}  // namespace

TEST_CASE("without $KUBECONFIG the file of the home folder is meant", "[kube][kubeconfig]")
{
    const temp_folder folder;
    const environment_variable none("KUBECONFIG", "");
    const std::string home = std::getenv("HOME") ? std::getenv("HOME") : "/root";
    setenv("HOME", folder.path("").c_str(), 1);
    CHECK(found().path.empty());
    std::filesystem::create_directory(folder.path(".kube"));
    folder.write(".kube/config", contexts);
    CHECK(found().path.ends_with("/.kube/config"));
    CHECK(found().context == "here");
    CHECK(found().ns == "sellers");
    CHECK(found("there").ns.empty());
    setenv("HOME", home.c_str(), 1);
}

TEST_CASE("of several kubeconfigs the first that says something counts", "[kube][kubeconfig]")
{
    const temp_folder folder;
    const std::string first = folder.write("first", "current-context: far\ncontexts: []\n");
    const std::string second = folder.write("second", contexts);
    const std::string third = folder.write(
        "third",
        "current-context: x\ncontexts:\n- name: far\n  context: {cluster: c, namespace: away}\n"
        "- name: here\n  context: {namespace: not-this}\n"
    );
    const environment_variable list(
        "KUBECONFIG", first + "::" + folder.path("missing") + ":" + second + ":" + third
    );
    CHECK(found().path == third);
    CHECK(found().context == "far");
    CHECK(found().ns == "away");
    CHECK(found("here").path == second);
    CHECK(found("here").ns == "sellers");
    // Whoever reads that file says that it is not there.
    CHECK(found("nowhere").path == first);
    CHECK(found("nowhere").context == "nowhere");
}

TEST_CASE("a kubeconfig that is no YAML is named, and not quoted", "[kube][kubeconfig]")
{
    const temp_folder folder;
    const environment_variable list("KUBECONFIG", folder.write("bad", "a: [planted-secret\n"));
    const auto choice = find_kubeconfig("");
    REQUIRE_FALSE(choice.has_value());
    CHECK(choice.error().message().find(folder.path("bad")) != std::string::npos);
    CHECK(choice.error().message().find("planted") == std::string::npos);
    const environment_variable listed("KUBECONFIG", folder.write("list", "- a\n"));
    CHECK(find_kubeconfig("").error().message().find("no YAML mapping") != std::string::npos);
    const auto named = look_at_kubeconfig(folder.path("missing"), "");
    REQUIRE_FALSE(named.has_value());
    CHECK(named.error().code() == errc::not_found);
    for (const char* odd : {"contexts: x\n", "contexts: [a, {name: [b]}]\ncurrent-context: {}\n", "a: b\n"})
    {
        const auto read = look_at_kubeconfig(folder.write("odd", odd), "a");
        REQUIRE(read.has_value());
        CHECK(read->ns.empty());
    }
}

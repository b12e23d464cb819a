#include "catch.hpp"
#include "given_options.hpp"

#include <portitor/config/gateway_options.hpp>

#include <boost/json/parse.hpp>
#include <fmt/ranges.h>

using namespace portitor;
using config::gateway_options;
using portitor::test::complaint;
using portitor::test::complaint_about;
using portitor::test::has;

namespace {

// Names and "*", as a public URL and a list come to.
std::string known(const std::string& public_url, const std::string& list)
{
    gateway_options read;
    const std::string url = public_url.empty() ? "" : "public-url: " + public_url + "\n";
    const std::string told = complaint_about(read, url + "publicHosts: " + list + "\n");
    if (told != "no error")
        return told;
    const config::public_hosts all = read.public_hosts();
    return fmt::format("{}{}", fmt::join(all.names, " "), all.every_host ? " *" : "");
}

}  // namespace

TEST_CASE("the public hosts are that of the public URL, and those of the list", "[config][hosts]")
{
    CHECK(known("", "[]") == " *");
    CHECK(known("https://api.example.com", "[]") == "api.example.com");
    CHECK(known("https://API.example.com:8443/base", "[]") == "api.example.com");
    CHECK(known("http://localhost:8000", "[]") == "localhost");
    CHECK(known("http://10.0.0.1:8000", "[]") == " *");
    CHECK(known("http://[::1]:8000", "[]") == " *");
    CHECK(known("", "[B.example.com:80, a.example.com.]") == "b.example.com a.example.com");
    CHECK(known("https://api.example.com", "[b.example.com]") == "api.example.com b.example.com");
    CHECK(known("https://b.example.com", "[a.example.com, b.example.com]") == "b.example.com a.example.com");
    CHECK(known("https://api.example.com", "['*']") == "api.example.com *");
    CHECK(known("http://10.0.0.1", "[a.example.com, '*']") == "a.example.com *");
}

TEST_CASE("what is no public host is told with its line", "[config][hosts]")
{
    CHECK(has(known("", "['*.example.com']"), "neither a host"));
    CHECK(has(known("", "['https://a.example']"), "neither a host"));
    CHECK(has(known("", "[10.0.0.1]"), "neither a host"));
    CHECK(has(known("", "[a_b.example]"), "neither a host"));
    CHECK(has(known("", "[a.example, A.example]"), "line 1: host a.example comes twice"));
    CHECK(has(known("", "[[a]]"), "each entry is a host"));
    CHECK(has(known("http://10.0.0.1", "[a.example.com]"), "nothing could be reached there; add '*'"));
    std::string many = "[h0.example";
    for (int i = 1; i < 16; ++i)
        many += fmt::format(", h{}.example", i);
    CHECK(has(known("", many + "]"), "h15.example"));
    CHECK(has(known("https://api.example.com", many + "]"), "17 hosts, with that of --public-url"));
}

TEST_CASE("an entry gives a host to namespaces by name or by label", "[config][hosts]")
{
    gateway_options read;
    REQUIRE(
        complaint_about(
            read,
            "hosts:\n"
            "- {host: API.example.com, namespaces: [a, b]}\n"
            "- {host: '*.example.org', namespaces: ['*']}\n"
            "- host: '*'\n"
            "  namespaceSelector:\n"
            "    matchLabels: {team: shop}\n"
            "    matchExpressions: [{key: env, operator: NotIn, values: [test, dev]}, {key: open, operator: "
            "Exists}]\n"
        ) == "no error"
    );
    const auto& all = read.hosts.entries;
    REQUIRE(all.size() == 3);
    CHECK(read.hosts.needs_labels());
    CHECK(all[0].covers("api.example.com"));
    CHECK_FALSE(all[0].covers("b.api.example.com"));
    CHECK(all[0].names("b"));
    CHECK_FALSE(all[0].names("c"));
    CHECK(all[1].covers("a.b.example.org"));
    CHECK_FALSE(all[1].covers("example.org"));
    CHECK_FALSE(all[1].covers("badexample.org"));
    CHECK(all[1].names("c"));
    CHECK(all[2].covers("anything.test"));
    CHECK_FALSE(all[2].names("a"));
    const auto fits = [&](const std::string& labels) {
        return (*all[2].selector
        )(boost::json::parse(R"({"metadata":{"name":"a","labels":)" + labels + "}}").as_object());
    };
    CHECK(fits(R"({"team":"shop","open":""})"));
    CHECK(fits(R"({"team":"shop","open":"","env":"prod"})"));
    CHECK_FALSE(fits(R"({"team":"shop","open":"","env":"dev"})"));
    CHECK_FALSE(fits(R"({"team":"shop"})"));
    CHECK_FALSE(fits(R"({"team":"bar","open":""})"));
    CHECK_FALSE(fits("{}"));
}

TEST_CASE("an entry that gives nothing to anybody, or too much by mistake, is refused", "[config][hosts]")
{
    struct row
    {
        std::string entry;
        std::string words;
    };
    const auto each = GENERATE(values<row>({
        {"{namespaces: [a]}", "line 2: each entry needs \"host\""},
        {"{host: a.example}", "line 2: each entry needs either \"namespaces\" or \"namespaceSelector\""},
        {"{host: a.example, namespaces: []}", "needs either"},
        {"{host: a.example, namespaces: [a], namespaceSelector: {matchLabels: {b: c}}}", "needs either"},
        {"{host: a.example, namespaces: a}", "\"namespaces\" is a list"},
        {"{host: 'a.*.example', namespaces: [a]}", "\"a.*.example\" is no host"},
        {"{host: '**', namespaces: [a]}", "is no host"},
        {"{host: '*.10.0.0.1', namespaces: [a]}", "is no host"},
        {"{host: a.example, namespace: a}", "unknown key \"namespace\""},
        {"{host: a.example, namespaceSelector: {}}", "says nothing"},
        {"{host: a.example, namespaceSelector: 'team=shop'}", "each entry is a mapping"},
        {"{host: a.example, namespaceSelector: {matchLabels: [a]}}", "is a mapping of labels"},
        {"{host: a.example, namespaceSelector: {matchLabels: {a: 'b,c'}}}", "is a mapping of labels"},
        {"{host: a.example, namespaceSelector: {labels: {a: b}}}", "unknown key \"labels\""},
        {"{host: a.example, namespaceSelector: {matchExpressions: [{key: a, operator: In}]}}",
         "In takes values"},
        {"{host: a.b, namespaceSelector: {matchExpressions: [{key: a, operator: Exists, values: [b]}]}}",
         "Exists takes no values"},
        {"{host: a.example, namespaceSelector: {matchExpressions: [{key: a, operator: Is}]}}",
         "\"Is\" is none of In"},
        {"{host: a.example, namespaceSelector: {matchExpressions: [{key: 'a=b', operator: Exists}]}}",
         "without spaces and signs"},
    }));
    CAPTURE(each.entry);
    const std::string told = complaint_about<gateway_options>("hosts:\n- " + each.entry + "\n");
    CAPTURE(told);
    CHECK(has(told, "hosts: "));
    CHECK(has(told, each.words));
}

TEST_CASE("a pattern without quotes is a mistake that is named", "[config][hosts]")
{
    const std::string told =
        complaint_about<gateway_options>("hosts:\n- {host: *.a.example, namespaces: [a]}\n");
    CAPTURE(told);
    CHECK(has(told, ":2: "));
    CHECK(has(told, "stands in quotes: '*.example.com'"));
}

TEST_CASE("hosts are compared without case, port and a point at the end", "[config][hosts]")
{
    CHECK(config::host_name("API.Example.com:8080") == "api.example.com");
    CHECK(config::host_name("api.example.com.") == "api.example.com");
    CHECK(config::host_name("[::1]:80") == "[::1]");
    CHECK(config::host_name("").empty());
}

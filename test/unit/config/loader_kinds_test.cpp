#include "catch.hpp"
#include "files.hpp"

#include <portitor/config/facilitators.hpp>
#include <portitor/config/gateway_options.hpp>
#include <portitor/config/groups.hpp>
#include <portitor/config/loader.hpp>
#include <portitor/config/networks.hpp>
#include <portitor/config/operator_lists.hpp>
#include <portitor/config/setters.hpp>
#include <portitor/config/suggestion.hpp>

#include <yaml-cpp/yaml.h>

#include <functional>
#include <sstream>
#include <stdexcept>

// Options of every kind: lists, aliases, required ones; words by name; and the layer that comes later.

using namespace portitor;
using portitor::test::environment_variable;
using portitor::test::temp_folder;
using texts = std::vector<std::string>;

namespace {

struct fixture
{
    temp_folder folder;
    texts routes;
    std::string wallet;
    std::string name;
    texts rest;
    bool loud = false;
    std::string own;
    std::ostringstream printed;
    config::loader loader{config::description{
        "portitor sell", "Sells.", "The end.", {{"sells hello", "portitor sell hello --pay-to 0x1"}}}};

    fixture()
    {
        loader.layered([&] { loader.add(config::list_option("test-route", "a path", routes)); });
        config::option wallet_option{"test-pay-to", "who is paid", "", config::set_text(wallet)};
        wallet_option.aliases = {"test-wallet"};
        wallet_option.letter = 'w';
        loader.layered([&] { loader.add(wallet_option); });
        config::option loudness{"test-loud", "whether to shout", "false", config::set_bool(loud)};
        loudness.is_switch = true;
        loader.layered([&] { loader.add(loudness); });
        loader.add({"test-own", "the command's own", "", config::set_text(own)});
    }

    std::string layer(
        const std::string& text, const std::function<result<void>()>& resolve = [] { return result<void>(); }
    )
    {
        const auto read = loader.load_layer(text, "ConfigMap a/b", resolve);
        return read ? "no error" : read.error().message();
    }

    std::string complaint(const texts& arguments)
    {
        std::vector<const char*> argv{"portitor"};
        for (const std::string& each : arguments)
            argv.push_back(each.c_str());
        const auto read = loader.load(static_cast<int>(argv.size()), argv.data(), printed);
        return read ? "no error" : read.error().message();
    }
};

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a list is given flag by flag", "[config][loader]")
{
    fixture f;
    REQUIRE(f.complaint({"--test-route", "/a", "--test-route=/b"}) == "no error");
    CHECK(f.routes == texts{"/a", "/b"});
    REQUIRE(f.complaint({}) == "no error");
    CHECK(f.routes.empty());
}

TEST_CASE("a list is a YAML list, or lines", "[config][loader]")
{
    fixture f;
    const auto file = [&](const std::string& text) { return f.folder.write("settings.yaml", text); };
    REQUIRE(f.complaint({"--config", file("test-route: [/a, '/b c']\n")}) == "no error");
    CHECK(f.routes == texts{"/a", "/b c"});
    REQUIRE(f.complaint({"--config", file("test-route: |\n  /a\n\n  /b\n")}) == "no error");
    CHECK(f.routes == texts{"/a", "/b"});
    CHECK(has(f.complaint({"--config", file("test-route: [[/a]]\n")}), "test-route takes a list of texts"));
    CHECK(has(f.complaint({"--config", file("test-route: {a: b}\n")}), "test-route takes a list"));
    {
        const environment_variable variable("PORTITOR_TEST_ROUTE", " /c \n/d\r\n");
        // It replaces that of the file.
        REQUIRE(f.complaint({"--config", file("test-route: [/a]\n")}) == "no error");
        CHECK(f.routes == texts{"/c", "/d"});
        REQUIRE(f.complaint({"--test-route=/e"}) == "no error");
        CHECK(f.routes == texts{"/e"});
    }
    for (const char* text : {"[/c, /d]", "- /c\n- /d\n"})
    {
        const environment_variable variable("PORTITOR_TEST_ROUTE", text);
        REQUIRE(f.complaint({}) == "no error");
        CHECK(f.routes == texts{"/c", "/d"});
    }
    const environment_variable variable("PORTITOR_TEST_ROUTE", "[/c");
    CHECK(has(f.complaint({}), "PORTITOR_TEST_ROUTE:1: "));
}

TEST_CASE("a list that cannot be emptied is a mistake", "[config][loader]")
{
    fixture f;
    config::option wrong{"test-wrong", "", "", config::append_text(f.routes)};
    wrong.is_list = true;
    CHECK_THROWS_AS(f.loader.add(wrong), std::logic_error);
}

TEST_CASE("an option has other names, of which one is given", "[config][loader]")
{
    fixture f;
    for (const char* flag : {"--test-pay-to=0x1", "--test-wallet=0x1", "-w0x1", "-w=0x1"})
    {
        CAPTURE(flag);
        f.wallet.clear();
        REQUIRE(f.complaint({flag}) == "no error");
        CHECK(f.wallet == "0x1");
    }
    CHECK(
        has(f.complaint({"--test-pay-to=0x1", "--test-wallet=0x2"}),
            "--test-pay-to and --test-wallet are the same: give one of them")
    );
    CHECK(has(f.complaint({"--test-wallet=0x1", "--test-wallet=0x2"}), "--test-wallet is given twice"));
    CHECK(has(f.complaint({"-w=0x1", "-w=0x2"}), "-w is given twice"));
}

TEST_CASE("an unknown flag brings up the one that is near", "[config][loader]")
{
    fixture f;
    const std::string told = f.complaint({"--test-walet=0x1"});
    CHECK(
        told == "--test-walet: there is no such flag; did you mean --test-wallet? (see portitor sell --help)"
    );
    CHECK(has(f.complaint({"--test-pay", "0x1"}), "did you mean --test-pay-to?"));
    CHECK_FALSE(has(f.complaint({"--zebra"}), "did you mean"));
    // What the help does not show is not brought up either.
    f.loader.hide_rest();
    std::string secret;
    f.loader.add({"zebras", "", "", config::set_text(secret)});
    CHECK_FALSE(has(f.complaint({"--zebra"}), "did you mean"));
}

TEST_CASE("a hidden option gives way to one that is not", "[config][loader]")
{
    fixture f;
    std::string other = "untouched";
    f.loader.hide_rest();
    config::option same{"test-pay-to", "", "somebody", config::set_text(other)};
    f.loader.add(same);
    REQUIRE(f.complaint({"--test-pay-to=0x1"}) == "no error");
    CHECK(f.wallet == "0x1");
    CHECK(other == "untouched");
    config::option hidden{"test-file", "", "", config::set_text(other)};
    hidden.letter = 'f';
    f.loader.add(hidden);
    CHECK(has(f.complaint({"-f", "x"}), "-f: there is no such flag"));
}

TEST_CASE("who does not run refuses nothing that the running command takes", "[config][loader]")
{
    fixture f;
    std::string own;
    std::string other = "untouched";
    std::string deep;
    f.loader.add({"test-output", "", "text", config::set_one_of(own, {"text", "name"})});
    f.loader.hide_rest();
    f.loader.add({"test-output", "", "text", config::set_one_of(other, {"text", "json"})});
    f.loader.add({"test-deep", "", "no", config::set_one_of(deep, {"yes", "no"})});
    REQUIRE(f.complaint({"--test-output=name"}) == "no error");
    CHECK(own == "name");
    const std::string file = f.folder.write("settings.yaml", "test-output: name\n");
    REQUIRE(f.complaint({"--config", file}) == "no error");
    CHECK(own == "name");
    {
        const environment_variable variable("PORTITOR_TEST_OUTPUT", "name");
        CHECK(f.complaint({}) == "no error");
    }
    // The words are those of who runs, and of nobody else.
    CHECK(has(f.complaint({"--test-output=json"}), "--test-output: \"json\""));
    CHECK(other == "untouched");
    // What only others know is theirs to refuse.
    CHECK(has(f.complaint({"--test-deep=perhaps"}), "--test-deep: \"perhaps\""));
    REQUIRE(f.complaint({"--test-deep=yes"}) == "no error");
    CHECK(deep == "yes");
}

TEST_CASE("what is near", "[config][suggestion]")
{
    const texts known{"--pay-to", "--price", "--path", "--name"};
    CHECK(config::nearest("--pay-too", known) == "--pay-to");
    CHECK(config::nearest("--pirce", known) == "--price");
    CHECK(config::nearest("--pri", known) == "--price");
    CHECK(config::nearest("--nmae", known) == "--name");
    CHECK(config::nearest("", known).empty());
    CHECK(config::nearest("--kubeconfig", known).empty());
    CHECK(config::nearest(std::string(1000, 'x'), known).empty());
}

TEST_CASE("a flag does not swallow the flag after it, nor a switch the word", "[config][loader]")
{
    fixture f;
    f.loader.positional("NAME", "what to sell", f.name);
    CHECK(has(f.complaint({"--test-pay-to", "--test-loud", "x"}), "--test-pay-to needs a value"));
    CHECK(has(f.complaint({"x", "--test-pay-to"}), "--test-pay-to needs a value"));
    REQUIRE(f.complaint({"--test-loud", "x"}) == "no error");
    CHECK(f.loud);
    CHECK(f.name == "x");
    // What is no flag is a value, whatever it begins with.
    REQUIRE(f.complaint({"x", "--test-pay-to", "-5"}) == "no error");
    CHECK(f.wallet == "-5");
    REQUIRE(f.complaint({"--", "--test-loud"}) == "no error");
    CHECK(f.name == "--test-loud");
    CHECK_FALSE(f.loud);
    REQUIRE(f.complaint({"-"}) == "no error");
    CHECK(f.name == "-");
}

TEST_CASE("a required option has to be given, somewhere", "[config][loader]")
{
    fixture f;
    std::string price;
    config::option needed{"test-price", "what it costs", "", config::set_text(price)};
    needed.is_required = true;
    f.loader.add(needed);
    CHECK(f.complaint({}) == "--test-price VALUE is missing: what it costs (see portitor sell --help)");
    CHECK(f.complaint({"--test-price=1"}) == "no error");
    const environment_variable variable("PORTITOR_TEST_PRICE", "2");
    CHECK(f.complaint({}) == "no error");
    CHECK(price == "2");
}

TEST_CASE("words have names, and the last one takes the rest", "[config][loader]")
{
    fixture f;
    std::string kind;
    f.loader.positional("KIND", "of what", kind);
    f.loader.positional("NAME", "which", f.name, config::presence::optional);
    CHECK(f.complaint({}) == "KIND is missing: of what (see portitor sell --help)");
    REQUIRE(f.complaint({"a", "b"}) == "no error");
    CHECK(kind == "a");
    CHECK(f.name == "b");
    REQUIRE(f.complaint({"a"}) == "no error");
    CHECK(f.name.empty());
    CHECK(has(f.complaint({"a", "b", "c"}), "\"c\": one word too many"));
    f.loader.positional("MORE", "and more", f.rest);
    REQUIRE(f.complaint({"a", "b", "c", "d"}) == "no error");
    CHECK(f.rest == texts{"c", "d"});
    CHECK_THROWS_AS(f.loader.positional("LATE", "", kind), std::logic_error);
    REQUIRE(f.complaint({"--help"}) == "no error");
    CHECK(has(f.printed.str(), "Usage: portitor sell KIND [NAME] [MORE...] [options]\n"));
    CHECK(has(f.printed.str(), "Examples:\n  # sells hello\n  portitor sell hello --pay-to 0x1\n"));
}

TEST_CASE("a later layer lies below all that was given", "[config][loader]")
{
    fixture f;
    const std::string file = f.folder.write("settings.yaml", "test-route: [/file]\n");
    REQUIRE(f.complaint({"--config", file}) == "no error");
    CHECK(f.loader.has_config_file());
    REQUIRE(f.layer("test-route: [/layer]\ntest-pay-to: 0x5\nnobody-knows: {a: b}\n") == "no error");
    CHECK(f.routes == texts{"/file"});
    CHECK(f.wallet == "0x5");
    REQUIRE(f.complaint({"--test-route=/flag"}) == "no error");
    CHECK_FALSE(f.loader.has_config_file());
    CHECK(f.wallet.empty());
    REQUIRE(f.layer("test-route: [/layer]\n") == "no error");
    CHECK(f.routes == texts{"/flag"});
}

TEST_CASE("what is a command's own does not come from a layer", "[config][loader]")
{
    fixture f;
    REQUIRE(f.complaint({}) == "no error");
    CHECK(f.layer("test-own: layer\nconfig: /x\ntest-pay-to: '0x5'\n") == "no error");
    CHECK(f.own.empty());
    CHECK(f.wallet == "0x5");
    // What it may not set may also be nonsense.
    CHECK(f.layer("test-own: [a, {b: c}]\n") == "no error");
}

TEST_CASE("a layer that is refused changes nothing", "[config][loader]")
{
    fixture f;
    texts list;
    f.loader.layered([&] {
        f.loader.add(config::section{
            "list",
            [&](const YAML::Node& node) -> result<void> {
                list.push_back(node.Scalar());
                return node.Scalar() == "bad" ? result<void>(fail(errc::invalid, "line 9: bad"))
                                              : result<void>();
            },
            [&] { list.clear(); }});
    });
    REQUIRE(f.complaint({"--test-route=/flag"}) == "no error");
    REQUIRE(f.layer("test-pay-to: '0x1'\nlist: good\n") == "no error");
    int resolved = 0;
    const auto refuse_loud = [&]() -> result<void> {
        ++resolved;
        return f.loud ? result<void>(fail(errc::invalid, "--test-loud: not here")) : result<void>();
    };
    const std::pair<const char*, const char*> cases[] = {
        {"test-pay-to: '0x2'\ntest-loud: x\n", "ConfigMap a/b:2: test-loud: \"x\" is neither true nor false"},
        {"test-pay-to: '0x2'\ntest-route: {a: b}\n", "ConfigMap a/b:2: test-route takes a list"},
        {"test-pay-to: '0x2'\ntest-pay-to: '0x3'\n", "ConfigMap a/b:2: test-pay-to comes twice"},
        {"test-pay-to: '0x2'\ntest-loud: true\n", "ConfigMap a/b: --test-loud: not here"}};
    for (const auto& [text, message] : cases)
    {
        CHECK(f.layer(text, refuse_loud) == message);
        CHECK(f.wallet == "0x1");
        CHECK_FALSE(f.loud);
        CHECK(f.routes == texts{"/flag"});
        CHECK(list == texts{"good"});
    }
    CHECK(resolved == 5);
    REQUIRE(f.complaint({}) == "no error");
    CHECK(f.layer("list: bad\n") == "ConfigMap a/b:1: list: line 9: bad");
    CHECK(list.empty());
    CHECK(f.layer("test-pay-to: '0x6'\n") == "no error");
    CHECK(f.wallet == "0x6");
}

TEST_CASE("what is wrong in a layer is told with its place", "[config][loader]")
{
    fixture f;
    REQUIRE(f.complaint({}) == "no error");
    const auto told = [&](const std::string& text) { return f.layer(text); };
    CHECK(
        told("x: 1\ntest-loud: loud\n") == "ConfigMap a/b:2: test-loud: \"loud\" is neither true nor false"
    );
    CHECK(has(told("x: [\n"), "ConfigMap a/b:2: "));
    CHECK(told("- a\n") == "ConfigMap a/b must be a YAML mapping");
}

TEST_CASE("the operator's lists are the same however often they are read", "[config][loader]")
{
    config::operator_lists lists;
    config::gateway_options gateway;
    config::loader loader("portitor", "", "");
    loader.layered([&] { config::declare_all(loader, lists, gateway); });
    const auto resolve = [&] { return config::resolve_all(lists, gateway); };
    const char* argv[] = {"portitor"};
    std::ostringstream printed;
    REQUIRE(loader.load(1, argv, printed).has_value());
    REQUIRE(config::resolve_all(lists, gateway).has_value());
    CHECK(lists.facilitators.find("default")->url == "https://www.x402.org/facilitator");
    CHECK(gateway.verifier_url == "http://portitor-verifier.portitor.svc:8080");
    const std::size_t chains = lists.chains.entries.size();

    const char* layer = "namespace: elsewhere\n"
                        "default-facilitator: https://other.example.com\n"
                        "facilitators:\n- {name: one, url: 'https://one.example.com'}\n"
                        "credentials:\n- {name: up, file: /x, namespaces: [a]}\n"
                        "chains:\n- {name: mine, registry: '0x8004a169fb4a3325136eb29fa0ceb6d2e539a432'}\n";
    REQUIRE(loader.load_layer(layer, "ConfigMap a/b", resolve).has_value());
    for (int again = 0; again < 2; ++again)
    {
        REQUIRE(config::resolve_all(lists, gateway).has_value());
        CHECK(lists.facilitators.entries.size() == 2);
        CHECK(lists.facilitators.find("default")->url == "https://other.example.com");
        CHECK(lists.credentials.entries.size() == 1);
        CHECK(lists.chains.entries.size() == chains + 1);
        CHECK(gateway.verifier_url == "http://portitor-verifier.elsewhere.svc:8080");
        REQUIRE(loader.load_layer("{}", "ConfigMap a/b", resolve).has_value());
    }
}

#include "catch.hpp"
#include "files.hpp"

#include <portitor/config/loader.hpp>
#include <portitor/config/setters.hpp>

#include <yaml-cpp/yaml.h>

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

using namespace portitor;
using portitor::test::environment_variable;
using portitor::test::temp_folder;

namespace {

result<void> check_colour(const std::string& value)
{
    if (value == "red" || value == "green")
        return {};
    return fail(errc::invalid, "\"{}\" is no colour", value);
}

result<void> read_items(const YAML::Node& list, std::vector<std::string>& into)
{
    for (const auto& each : list)
    {
        const auto name = each["name"].as<std::string>();
        if (name.empty())
            return fail(errc::invalid, "an item without a name");
        into.push_back(name);
    }
    return {};
}

struct fixture
{
    temp_folder folder;
    std::string shade;
    std::string colour;
    bool loud = false;
    std::vector<std::string> items;
    std::vector<std::string> words;
    std::ostringstream printed;
    config::loader loader{"portitor", "Tests settings.", "The end."};

    fixture()
    {
        config::option plain{"test-shade", "How dark", "grey", config::set_text(shade)};
        plain.letter = 's';
        loader.add(plain);
        loader.add(config::option{"test-colour", "Which colour", "red", [this](const std::string& value) {
                                      colour = value;
                                      return check_colour(value);
                                  }});
        config::option loudness{"test-loud", "Whether to shout", "false", config::set_bool(loud)};
        loudness.is_switch = true;
        loader.add(loudness);
        loader.add(config::section{
            "test-items", [this](const YAML::Node& node) { return read_items(node, items); }});
    }

    result<config::outcome> load(std::vector<std::string> arguments)
    {
        std::vector<const char*> argv{"portitor"};
        for (const std::string& each : arguments)
            argv.push_back(each.c_str());
        return loader.load(static_cast<int>(argv.size()), argv.data(), printed);
    }

    std::string complaint(const std::vector<std::string>& arguments)
    {
        const auto outcome = load(arguments);
        return outcome ? "no error" : outcome.error().message();
    }

    std::string complaint_about(const std::string& yaml)
    {
        return complaint({"--config", folder.write("settings.yaml", yaml)});
    }
};

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("settings come from flag, environment, file and default, in this order", "[config][loader]")
{
    fixture f;
    REQUIRE(f.load({}).has_value());
    CHECK(f.shade == "grey");
    const std::string file = f.folder.write("settings.yaml", "test-shade: from file\n");
    REQUIRE(f.load({"--config", file}).has_value());
    CHECK(f.shade == "from file");
    const environment_variable variable("PORTITOR_TEST_SHADE", "from environment");
    REQUIRE(f.load({"--config", file}).has_value());
    CHECK(f.shade == "from environment");
    REQUIRE(f.load({"--config", file, "--test-shade", "from flag"}).has_value());
    CHECK(f.shade == "from flag");
}

TEST_CASE("what is hidden is not in the help, and can be given all the same", "[config][loader]")
{
    fixture f;
    std::string whisper;
    f.loader.hide_rest();
    f.loader.add({"test-whisper", "What nobody hears", "", config::set_text(whisper)});
    f.loader.positional("FILE", "files to read", f.words);
    const auto outcome = f.load({"--help"});
    REQUIRE(outcome.has_value());
    CHECK(*outcome == config::outcome::printed);
    CHECK(has(f.printed.str(), "--test-shade"));
    CHECK_FALSE(has(f.printed.str(), "--test-whisper"));

    REQUIRE(f.load({"--test-whisper", "psst"}).has_value());
    CHECK(whisper == "psst");
    CHECK(has(f.complaint({"stray"}), "stray"));
}

TEST_CASE("options stand under their heading in the help", "[config][loader]")
{
    fixture f;
    std::string tone;
    f.loader.under("Music").add({"test-tone", "Which tone", "", config::set_text(tone)});
    REQUIRE(f.load({"--help"}).has_value());
    const std::string help = f.printed.str();
    REQUIRE(has(help, "Music:"));
    CHECK(help.find("--test-shade") < help.find("Music:"));
    CHECK(help.find("Music:") < help.find("--test-tone"));
}

TEST_CASE("what many have is behind what a command has of its own, when asked for", "[config][loader]")
{
    fixture f;
    std::string level;
    std::string first;
    std::string second;
    std::string third;
    f.loader.add_shared([&](config::loader& shared) {
        shared.add({"test-level", "How much", "", config::set_text(level)});
        const config::headed net = shared.under("Net");
        net.add({"test-first", "Which one", "", config::set_text(first)});
        net.add({"test-second", "Which other", "", config::set_text(second)});
        net.add({"test-third", "Which third", "", config::set_text(third)});
    });
    REQUIRE(f.load({"--help"}).has_value());
    const std::string help = f.printed.str();
    CHECK(has(help, "--test-shade"));
    CHECK(has(help, "--help=all"));
    CHECK(has(help, "--config, --test-level, Net (--test-first,"));
    CHECK_FALSE(has(help, "How much"));
    f.printed.str("");
    REQUIRE(f.load({"--help=all"}).has_value());
    const std::string all = f.printed.str();
    CHECK(has(all, "How much"));
    CHECK(all.find("--test-shade") < all.find("How much"));
    CHECK(all.find("How much") < all.find("Net:"));
    // One is what everybody has as soon as one owner says so.
    f.printed.str("");
    f.loader.add_shared([&](config::loader& shared) {
        shared.add({"test-shade", "How dark", "grey", config::set_text(level)});
    });
    REQUIRE(f.load({"--help"}).has_value());
    CHECK_FALSE(has(f.printed.str(), "How dark"));
    REQUIRE(f.load({"--test-first=a", "-s", "b"}).has_value());
    CHECK(first == "a");
    CHECK(f.shade == "b");
}

TEST_CASE("a letter or another name that is somebody's stays his", "[config][loader]")
{
    fixture f;
    std::string later;
    config::option second{"test-later", "", "", config::set_text(later), false, 's'};
    second.aliases = {"test-shade"};
    f.loader.add(second);
    REQUIRE(f.load({"-s", "a", "--test-later=b"}).has_value());
    CHECK(f.shade == "a");
    CHECK(later == "b");
    REQUIRE(f.load({"--test-shade=c"}).has_value());
    CHECK(f.shade == "c");
    CHECK(later.empty());
}

TEST_CASE("an error names the flag as it was typed", "[config][loader]")
{
    fixture f;
    std::string size;
    config::option one{"test-size", "", "s", config::set_one_of(size, {"s", "m"}), false, 'z'};
    one.aliases = {"test-width"};
    f.loader.add(one);
    CHECK(f.complaint({"-z", "x"}).starts_with("-z: \"x\""));
    CHECK(f.complaint({"-zx"}).starts_with("-z: \"x\""));
    CHECK(f.complaint({"--test-width", "x"}).starts_with("--test-width: \"x\""));
    CHECK(f.complaint({"--test-size", "x"}).starts_with("--test-size: \"x\""));
}

TEST_CASE("an option of several owners is one, and each gets its value", "[config][loader]")
{
    fixture f;
    std::string other;
    f.loader.add({"test-shade", "The same", "grey", config::set_text(other)});
    REQUIRE(f.load({}).has_value());
    CHECK(other == "grey");
    REQUIRE(f.load({"--test-shade", "dark"}).has_value());
    CHECK(f.shade == "dark");
    CHECK(other == "dark");
    REQUIRE(f.load({"--help"}).has_value());
    const std::string help = f.printed.str();
    CHECK(help.find("--test-shade") == help.rfind("--test-shade"));
}

TEST_CASE("owners of one option agree on its default", "[config][loader]")
{
    fixture f;
    std::string other;
    CHECK_THROWS_AS(
        f.loader.add({"test-shade", "Another", "pink", config::set_text(other)}), std::logic_error
    );
}

TEST_CASE("a section of several owners is read by each", "[config][loader]")
{
    fixture f;
    std::vector<std::string> others;
    f.loader.add(config::section{
        "test-items", [&](const YAML::Node& node) { return read_items(node, others); }});
    REQUIRE(f.complaint_about("test-items:\n  - name: one\n") == "no error");
    CHECK(f.items == std::vector<std::string>{"one"});
    CHECK(others == f.items);
}

TEST_CASE("the file itself can be named by the environment", "[config][loader]")
{
    fixture f;
    const environment_variable variable(
        "PORTITOR_CONFIG", f.folder.write("settings.yaml", "test-shade: dark\n")
    );
    REQUIRE(f.load({}).has_value());
    CHECK(f.shade == "dark");
}

TEST_CASE("an option's variable is its name in capitals", "[config][loader]")
{
    CHECK(config::environment_name("log-level") == "PORTITOR_LOG_LEVEL");
    CHECK(config::environment_name("kubeconfig") == "PORTITOR_KUBECONFIG");
}

TEST_CASE("flags are taken in every spelling, once", "[config][loader]")
{
    fixture f;
    REQUIRE(f.load({"-s", "one"}).has_value());
    CHECK(f.shade == "one");
    REQUIRE(f.load({"--test-shade=two"}).has_value());
    CHECK(f.shade == "two");
    REQUIRE(f.load({"-sthree"}).has_value());
    CHECK(f.shade == "three");
    CHECK(has(f.complaint({"--test-shade", "two", "--test-shade", "three"}), "--test-shade is given twice"));
    CHECK(has(f.complaint({"-s", "two", "--test-shade=three"}), "-s and --test-shade are the same"));
}

TEST_CASE("a switch alone means true", "[config][loader]")
{
    fixture f;
    REQUIRE(f.load({}).has_value());
    CHECK_FALSE(f.loud);
    REQUIRE(f.load({"--test-loud"}).has_value());
    CHECK(f.loud);
    REQUIRE(f.load({"--test-loud=false"}).has_value());
    CHECK_FALSE(f.loud);
    REQUIRE(f.load({"--config", f.folder.write("settings.yaml", "test-loud: true\n")}).has_value());
    CHECK(f.loud);
    CHECK(has(f.complaint({"--test-loud=perhaps"}), "neither true nor false"));
}

TEST_CASE("an unknown flag is named", "[config][loader]")
{
    fixture f;
    const auto outcome = f.load({"--test-shde", "dark"});
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code() == errc::invalid);
    CHECK(has(outcome.error().message(), "--test-shde"));
    CHECK_FALSE(has(outcome.error().message(), "\n"));
}

TEST_CASE("a flag without its value is refused", "[config][loader]")
{
    fixture f;
    CHECK(has(f.complaint({"--test-shade"}), "--test-shade"));
}

TEST_CASE("words are refused where none are wanted, and handed over where they are", "[config][loader]")
{
    fixture f;
    CHECK(has(f.complaint({"stray"}), "stray"));
    f.loader.positional("FILE", "files to read", f.words);
    REQUIRE(f.load({"one", "--test-shade", "dark", "two"}).has_value());
    CHECK(f.words == std::vector<std::string>{"one", "two"});
    CHECK(f.shade == "dark");
}

TEST_CASE("an unknown key of the file is named with its line", "[config][loader]")
{
    fixture f;
    const std::string told = f.complaint_about("# a comment\ntest-shade: dark\nsha-de: x\n");
    CHECK(has(told, "settings.yaml:3"));
    CHECK(has(told, "\"sha-de\""));
}

TEST_CASE("a file that is no YAML is named with the line", "[config][loader]")
{
    fixture f;
    CHECK(has(f.complaint_about("test-shade: dark\ntest-colour: [\n"), "settings.yaml:"));
    CHECK(has(f.complaint_about("- one\n- two\n"), "must be a YAML mapping"));
    CHECK(f.complaint_about("") == "no error");
    CHECK(f.complaint_about("# nothing yet\n") == "no error");
}

TEST_CASE("a missing file is not found", "[config][loader]")
{
    fixture f;
    const auto outcome = f.load({"--config", f.folder.path("none.yaml")});
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().code() == errc::not_found);
    CHECK(has(outcome.error().message(), "none.yaml"));
}

TEST_CASE("a key that comes twice is named with its second line", "[config][loader]")
{
    fixture f;
    const std::string told = f.complaint_about("test-shade: light\ntest-colour: red\ntest-shade: dark\n");
    CHECK(has(told, "settings.yaml:3: test-shade comes twice"));
    CHECK(has(f.complaint_about("test-items: []\ntest-items: []\n"), "test-items comes twice"));
}

TEST_CASE("a list where one value is wanted is named with its line", "[config][loader]")
{
    fixture f;
    const std::string told = f.complaint_about("test-colour: red\ntest-shade: [a, b]\n");
    CHECK(has(told, "settings.yaml:2"));
    CHECK(has(told, "test-shade takes one value"));
}

TEST_CASE("a section gets its node, and its errors are told with file and line", "[config][loader]")
{
    fixture f;
    CHECK(f.complaint_about("test-items:\n  - name: one\n  - name: two\n") == "no error");
    CHECK(f.items == std::vector<std::string>{"one", "two"});
    const std::string own = f.complaint_about("test-shade: x\ntest-items:\n  - name: ''\n");
    CHECK(has(own, "settings.yaml:2: test-items: an item without a name"));
    // Thrown by yaml-cpp: the line is that of the wrong node.
    const std::string thrown = f.complaint_about("test-items:\n  - name: one\n  - name: [x]\n");
    CHECK(has(thrown, "settings.yaml:3: test-items: "));
}

TEST_CASE("a bad value is told with the place where it was given", "[config][loader]")
{
    fixture f;
    CHECK(f.complaint({"--test-colour", "blue"}) == "--test-colour: \"blue\" is no colour");
    const std::string told = f.complaint_about("test-shade: x\ntest-colour: blue\n");
    CHECK(has(told, "settings.yaml:2: test-colour: \"blue\" is no colour"));
    const environment_variable variable("PORTITOR_TEST_COLOUR", "mauve");
    CHECK(f.complaint({}) == "PORTITOR_TEST_COLOUR: \"mauve\" is no colour");
    CHECK(f.complaint({"--test-colour", "green"}) == "no error");
}

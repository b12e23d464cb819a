#include "catch.hpp"
#include "cli/command_line.hpp"
#include "cli/reference/declared.hpp"
#include "files.hpp"
#include "hand_made_process.hpp"
#include "run.hpp"

#include <portitor/config/help.hpp>
#include <portitor/config/setters.hpp>

#include <map>
#include <sstream>

using namespace portitor;
using portitor::test::environment_variable;
using portitor::test::hand_made_process;
using portitor::test::temp_folder;

namespace {

/// A made-up command: says what it was told.
class echo final : public cli::action
{
public:
    void declare(config::loader& into) override
    {
        into.add({"echo-text", "what to say", "hello", config::set_text(text_)});
        into.positional("WORD", "more of it", words_);
        into.layered([&] { into.add(config::list_option("echo-more", "what to say too", more_)); });
    }

    result<void> resolve() override
    {
        if (text_ == "silence")
            return fail(errc::invalid, "--echo-text: nothing to say");
        return {};
    }

    boost::asio::awaitable<result<int>> run(const roles::process&, const cli::console& terminal) override
    {
        if (text_ == "layer")
        {
            terminal.out << terminal.has_config_file << terminal.colour << text_;
            auto read = terminal.read_settings("echo-more: [a, b]\nmax-claims: 5\n", "the layer");
            if (!read)
                co_return read.error();
            terminal.out << fmt::format("{}", fmt::join(more_, ""));
        }
        terminal.out << fmt::format("{}", fmt::join(words_, " ")) << text_;
        co_return 7;
    }

private:
    std::string text_;
    std::vector<std::string> words_;
    std::vector<std::string> more_;
};

std::unique_ptr<cli::action> make_echo()
{
    return std::make_unique<echo>();
}

const std::vector<cli::command>& commands()
{
    static const std::vector<cli::command> all{
        {"say",
         "says something",
         nullptr,
         {{"http", "says it over HTTP", &make_echo},
          {"again", "says it twice", nullptr, {{"and", "and", &make_echo}}}}},
        {"echo", "says it at once", &make_echo, {}, true, {{"a word", "portitor echo word"}}, 1},
    };
    return all;
}

struct fixture
{
    std::ostringstream out;
    std::unique_ptr<cli::job> job;

    /// What the program says of this command line, or "no error".
    std::string complaint(const std::vector<std::string>& words)
    {
        std::vector<const char*> argv{"portitor"};
        for (const std::string& each : words)
            argv.push_back(each.c_str());
        auto parsed = cli::parse(commands(), static_cast<int>(argv.size()), argv.data(), out);
        job.reset();
        if (!parsed)
            return parsed.error().why.message();
        job = std::move(*parsed);
        return "no error";
    }

    /// The exit code of the job, whose words go to `out`.
    int run()
    {
        hand_made_process around;
        std::istringstream in;
        const auto work = job->make(around.process(), {in, out, out});
        const auto ended = portitor::test::run(around.context, work->run());
        return ended ? *ended : 1;
    }
};

bool has(const std::string& text, const std::string& part)
{
    return text.find(part) != std::string::npos;
}

/// What one of the real commands says of itself.
std::string help_of_ours(const char* command, const char* subcommand = "--help")
{
    const char* argv[] = {"portitor", command, subcommand, "--help"};
    std::ostringstream out;
    REQUIRE(cli::parse(cli::all_commands(), 4, argv, out).has_value());
    return out.str();
}

}  // namespace

TEST_CASE("the first words name a command and its subcommands", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"say", "http", "--echo-text=ho", "hey"}) == "no error");
    REQUIRE(f.job);
    CHECK(f.job->name == "http");
    CHECK_FALSE(f.job->serves_health);
    CHECK(f.run() == 7);
    CHECK(f.out.str() == "heyho");
    CHECK(f.complaint({"say", "again", "and"}) == "no error");
}

TEST_CASE("a command lists its subcommands when asked", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"say", "--help"}) == "no error");
    CHECK_FALSE(f.job);
    CHECK(f.out.str().starts_with(
        "portitor say: says something.\n\nUsage: portitor say SUBCOMMAND [options]\n\n"
    ));
    CHECK(has(f.out.str(), "  http   says it over HTTP\n  again  says it twice\n"));
    f.out.str("");
    REQUIRE(f.complaint({"say", "again", "-h"}) == "no error");
    CHECK(has(f.out.str(), "portitor say again: says it twice."));
}

TEST_CASE("a subcommand that is none, or not named, is an error that lists them", "[cli][command]")
{
    fixture f;
    const std::string told = f.complaint({"say", "htp"});
    CHECK(has(
        told, "\"htp\" is none of the subcommands of portitor say; did you mean http?; they are:\n  http "
    ));
    CHECK(has(f.complaint({"say"}), "portitor say needs one of these subcommands:\n  http "));
    CHECK(has(f.complaint({"say", "again", "or"}), "\"or\" is none of the subcommands of portitor say again")
    );
    CHECK(has(
        f.complaint({"say", "--eco-text", "x", "http"}), "--eco-text: there is no such flag (see portitor say"
    ));
}

TEST_CASE("a subcommand's help shows its own options", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"say", "http", "--help"}) == "no error");
    CHECK(has(f.out.str(), "--echo-text"));
    CHECK(has(f.out.str(), "--log-level"));
    CHECK_FALSE(has(f.out.str(), "how much is logged"));
    CHECK_FALSE(has(f.out.str(), "--max-claims"));
    CHECK_FALSE(has(f.out.str(), "--role"));
    f.out.str("");
    REQUIRE(f.complaint({"say", "http", "--help=all"}) == "no error");
    CHECK(has(f.out.str(), "how much is logged"));
    CHECK(f.out.str().find("--echo-text") < f.out.str().find("--log-level"));
    CHECK_FALSE(has(f.out.str(), "--max-claims"));
}

TEST_CASE("a command reads the file that it shares with the roles", "[cli][command]")
{
    const temp_folder folder;
    const auto with = [&](const std::string& text) {
        fixture f;
        return f.complaint({"echo", "--config", folder.write("portitor.yaml", text)});
    };
    CHECK(
        with("max-claims: 5\nrole: verifier\nchains: []\necho-text: x\nhealth-listen: ':1'\n") == "no error"
    );
    CHECK(has(with("max-claim: 5\n"), "unknown key \"max-claim\""));
    // What does not parse is wrong, whoever would read it.
    CHECK(has(with("max-claims: some\n"), "max-claims: \"some\" is no whole number"));
    // What only fits together is checked by who reads it.
    CHECK(with("threads: 300\n") == "no error");
    CHECK(has(with("echo-text: silence\n"), "nothing to say"));
}

TEST_CASE("a command that is a role too is started either way", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"echo", "a"}) == "no error");
    CHECK(f.job->name == "echo");
    REQUIRE(f.complaint({"--role=echo", "--echo-text=b"}) == "no error");
    CHECK(f.job->name == "echo");
    CHECK_FALSE(f.job->serves_health);
    CHECK(f.run() == 7);
    CHECK(f.out.str() == "b");
    // Another role is given its options, and does not mind.
    CHECK(f.complaint({"--role=registrar", "--echo-text=b"}) == "no error");
    CHECK(f.job->serves_health);
}

TEST_CASE("a role takes the options of all others, and minds its own", "[cli][command]")
{
    fixture f;
    CHECK(f.complaint({"--role=registrar", "--max-claims=0", "--gateway=a/b"}) == "no error");
    CHECK(has(f.complaint({"--role=registrar", "--max-claims=x"}), "--max-claims: \"x\" is no whole number"));
    CHECK(has(f.complaint({"--role=verifier", "--max-claims=0"}), "--max-claims must be at least 1"));
}

TEST_CASE("a role that is none is an error that lists them", "[cli][command]")
{
    fixture f;
    const std::string told = f.complaint({"--role=verifer"});
    CHECK(has(told, "--role=\"verifer\" is none of the roles; they are:\n"));
    for (const char* name : {"controller", "verifier", "registrar", "echo"})
        CHECK(has(told, fmt::format("  {:<10}  ", name)));
    CHECK(has(f.complaint({}), "nothing to do: name a command, or a role with --role (see portitor --help). ")
    );
    CHECK(
        has(f.complaint({"nonsense"}), "\"nonsense\" is none of the commands of portitor; they are:\n  say ")
    );
}

TEST_CASE("the help of the program shows all options by owner, roles and commands", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"--help"}) == "no error");
    // Before all else, how it is called and with which words; those of a role come with its command.
    CHECK(f.out.str().starts_with("Sells HTTP services that run in Kubernetes for x402 payments.\n\n"
                                  "Usage: portitor COMMAND [options]\n"
                                  "       portitor --role=ROLE [options]\n\n"
                                  "Commands:\n"
                                  "  say   says something\n"
                                  "  echo  says it at once\n\n"
                                  "Roles:\n"
                                  "  controller  "));
    CHECK(has(
        f.out.str(),
        "  echo        the same as the command\n\nportitor COMMAND --help says more of one.\n\nOptions:\n"
    ));
    CHECK_FALSE(has(f.out.str(), "WORD"));
    CHECK(has(f.out.str(), "Kubernetes (--kubeconfig,"));
    CHECK_FALSE(has(f.out.str(), "Kubernetes:"));
    f.out.str("");
    REQUIRE(f.complaint({"--help=all"}) == "no error");
    const std::string help = f.out.str();
    for (const char* part :
         {"--role",
          "Kubernetes:",
          "Gateway:",
          "Controller:",
          "Verifier:",
          "--echo-text",
          "Commands:\n  say "})
        CHECK(has(help, part));
}

TEST_CASE("help names the consents that count only where they are typed", "[cli][command]")
{
    CHECK(
        has(help_of_ours("pay"),
            "\nExcept --allow-mainnet, --allow-http: a consent counts only where it is typed.\n")
    );
    CHECK_FALSE(has(help_of_ours("version"), "Except"));
}

TEST_CASE("what is said of our commands and options stands in line", "[cli][command]")
{
    // Texts stand below each other, whatever the bytes of what is left of them.
    CHECK(has(help_of_ours("sell", "http"), "      --route KEY=VALUE,…     terms of a path below"));
    CHECK(help_of_ours("sell").starts_with("portitor sell: makes offers of services,"));
}

TEST_CASE("the commands that people need most are listed first", "[cli][command]")
{
    std::vector<std::string_view> names;
    for (const cli::command& each : cli::all_commands())
        names.push_back(each.name);
    CHECK(
        names ==
        std::vector<std::string_view>{
            "sell",
            "sales",
            "pay",
            "explain",
            "once",
            "doctor",
            "completion",
            "man",
            "version",
            "release-finalizers"}
    );
}

TEST_CASE("a word's help does not name its command, and a value says what it is", "[cli][command]")
{
    for (const cli::declared& place : cli::all_declared(cli::all_commands()))
    {
        if (!place.settings)
            continue;
        for (const config::word& each : place.settings->words())
            CHECK_FALSE(each.help.starts_with(place.words + ':'));
        if (place.words != "explain" && place.words != "doctor")
            continue;
        for (const cli::flag& each : cli::flags_of(place))
        {
            INFO(place.words << ' ' << each.text);
            CHECK((each.what->is_shared || config::placeholder_of(*each.what) != "VALUE"));
        }
    }
}

TEST_CASE("a command reads more settings while it runs", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"echo", "--echo-text=layer", "--color=always"}) == "no error");
    CHECK(f.run() == 7);
    CHECK(f.out.str() == "01layerablayer");
    const temp_folder folder;
    f.out.str("");
    REQUIRE(f.complaint({"echo", "--config", folder.write("a.yaml", "echo-text: layer\n")}) == "no error");
    CHECK(f.run() == 7);
    CHECK(f.out.str() == "10layerablayer");
    f.out.str("");
    const environment_variable variable("PORTITOR_CONFIG", folder.write("b.yaml", "echo-more: [c]\n"));
    REQUIRE(f.complaint({"echo", "--echo-text=layer"}) == "no error");
    CHECK(f.run() == 7);
    CHECK(f.out.str() == "10layerclayer");
}

TEST_CASE("help can be asked for in front", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"help", "echo"}) == "no error");
    CHECK_FALSE(f.job);
    CHECK(has(f.out.str(), "Usage: portitor echo [WORD...] [options]"));
    CHECK(has(f.out.str(), "Examples:\n  # a word\n  portitor echo word\n"));
    REQUIRE(f.complaint({"help"}) == "no error");
    CHECK(has(f.out.str(), "Usage: portitor COMMAND [options]\n"));
}

TEST_CASE("as a plug-in of kubectl it speaks of itself as such", "[cli][command]")
{
    std::ostringstream out;
    const char* argv[] = {"/usr/local/bin/kubectl-portitor", "echo", "--help"};
    REQUIRE(cli::parse(commands(), 3, argv, out).has_value());
    CHECK(has(out.str(), "Usage: kubectl portitor echo [WORD...] [options]"));
    CHECK(has(out.str(), "  kubectl portitor echo word\n"));
    const char* wrong[] = {"kubectl-portitor", "ech"};
    const auto refused = cli::parse(commands(), 2, wrong, out);
    CHECK(has(refused.error().why.message(), "none of the commands of kubectl portitor; did you mean echo?"));
}

TEST_CASE("a command works where the user's context does, a role does not ask", "[cli][command]")
{
    const temp_folder folder;
    const char* contexts = "current-context: here\n"
                           "contexts:\n- name: here\n  context: {namespace: sellers}\n"
                           "- name: there\n  context: {namespace: others}\n";
    const environment_variable file("KUBECONFIG", folder.write("config", contexts));
    fixture f;
    REQUIRE(f.complaint({"echo"}) == "no error");
    CHECK(f.job->kube.default_namespace() == "sellers");
    REQUIRE(f.complaint({"echo", "--context=there"}) == "no error");
    CHECK(f.job->kube.default_namespace() == "others");
    REQUIRE(f.complaint({"echo", "--kubeconfig", folder.write("other", "contexts: []\n")}) == "no error");
    CHECK(f.job->kube.default_namespace() == "default");
    REQUIRE(f.complaint({"--role=verifier"}) == "no error");
    CHECK_FALSE(f.job->kube.is_of_a_person);
}

TEST_CASE("flags may stand before the words of a command, and among them", "[cli][command]")
{
    fixture f;
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {"--echo-text", "http", "say", "http", "word"},
             {"--echo-text=http", "say", "http", "word"},
             {"say", "--echo-text", "http", "http", "word"},
             {"--color=never", "say", "--log-level", "debug", "http", "--echo-text=http", "word"}})
    {
        f.out.str("");
        REQUIRE(f.complaint(words) == "no error");
        REQUIRE(f.job);
        CHECK(f.job->name == "http");
        CHECK(f.run() == 7);
        CHECK(f.out.str() == "wordhttp");
    }
    f.out.str("");
    REQUIRE(f.complaint({"--help", "say", "http"}) == "no error");
    CHECK(has(f.out.str(), "Usage: portitor say http "));
    // The word behind a flag that nobody knows may be its value.
    CHECK(has(f.complaint({"--eco-text", "x", "say", "http"}), "--eco-text: there is no such flag"));
    CHECK(has(f.complaint({"--eco-text", "say", "http"}), "--eco-text: there is no such flag"));
    CHECK(has(f.complaint({"--log-level", "debug", "sya"}), "\"sya\" is none of the commands"));
    REQUIRE(f.complaint({"--role=verifier", "say", "http"}) == "no error");
    CHECK(f.job->name == "verifier");
    CHECK(has(f.complaint({"--", "say", "http"}), "nothing to do"));
}

TEST_CASE("a long flag takes a value in every command or in none", "[cli][command]")
{
    std::map<std::string, bool> takes_value;
    for (const cli::declared& place : cli::all_declared(cli::all_commands()))
    {
        for (const cli::flag& each : cli::flags_of(place))
        {
            if (!each.text.starts_with("--"))
                continue;
            const bool does = !each.what->is_switch;
            INFO(place.words << ' ' << each.text);
            CHECK(takes_value.try_emplace(each.text, does).first->second == does);
        }
    }
    CHECK(takes_value.size() > 50);
}

TEST_CASE("a refused command line ends with the code of its command", "[cli][command]")
{
    const auto code = [](std::vector<const char*> words) {
        words.insert(words.begin(), "portitor");
        std::ostringstream out;
        const auto parsed = cli::parse(commands(), static_cast<int>(words.size()), words.data(), out);
        REQUIRE(parsed.has_error());
        return parsed.error().exit_code;
    };
    CHECK(code({}) == 2);
    CHECK(code({"nonsense"}) == 2);
    CHECK(code({"say", "http", "--x"}) == 2);
    CHECK(code({"echo", "--x"}) == 1);
    CHECK(code({"--role=echo", "--x"}) == 1);
    CHECK(code({"--x", "--role", "echo"}) == 1);
    CHECK(code({"--role=verifier", "--x"}) == 2);
    // The name of a command as the value of a flag is none.
    CHECK(code({"--kubeconfig", "echo", "--x"}) == 2);
    CHECK(code({"--kubeconfig", "say", "echo", "--x"}) == 1);
    CHECK(code({"say", "http", "--x", "echo"}) == 2);
    CHECK(code({"say", "http", "--role", "echo", "--x"}) == 2);
    const environment_variable variable("PORTITOR_ROLE", "echo");
    CHECK(code({"--x"}) == 1);
}

TEST_CASE("colours are for terminals that take them", "[cli][command]")
{
    const environment_variable terminal("TERM", "xterm");
    {
        const environment_variable empty("NO_COLOR", "");
        CHECK(cli::wants_colour("auto", true));
        CHECK_FALSE(cli::wants_colour("auto", false));
        CHECK(cli::wants_colour("always", false));
        CHECK_FALSE(cli::wants_colour("never", true));
        const environment_variable dumb("TERM", "dumb");
        CHECK_FALSE(cli::wants_colour("auto", true));
    }
    const environment_variable refused("NO_COLOR", "1");
    CHECK_FALSE(cli::wants_colour("auto", true));
    CHECK(cli::wants_colour("always", true));
}

namespace {

void make_all(const std::vector<cli::command>& all)
{
    for (const cli::command& each : all)
    {
        CAPTURE(each.name);
        REQUIRE(!each.make == !each.subcommands.empty());
        make_all(each.subcommands);
        config::loader into("portitor", "", "");
        if (each.make)
            each.make()->declare(into);
    }
}

}  // namespace

TEST_CASE("every command of ours can be made", "[cli][command]")
{
    CHECK(cli::all_commands().size() >= 2);
    make_all(cli::all_commands());
}

#include "catch.hpp"
#include "cli/command_line.hpp"
#include "files.hpp"
#include "hand_made_process.hpp"
#include "run.hpp"

#include <portitor/config/setters.hpp>

#include <sstream>

using namespace portitor;
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
    }

    result<void> resolve() override
    {
        if (text_ == "silence")
            return fail(errc::invalid, "--echo-text: nothing to say");
        return {};
    }

    boost::asio::awaitable<result<int>> run(const roles::process&, const cli::console& terminal) override
    {
        terminal.out << fmt::format("{}", fmt::join(words_, " ")) << text_;
        co_return 7;
    }

private:
    std::string text_;
    std::vector<std::string> words_;
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
        {"echo", "says it at once", &make_echo, {}, true},
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
            return parsed.error().message();
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
    CHECK(has(f.out.str(), "portitor say: says something."));
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
    CHECK(has(f.complaint({"say", "--echo-text=x", "http"}), "\"--echo-text=x\""));
}

TEST_CASE("a subcommand's help shows its own options", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"say", "http", "--help"}) == "no error");
    CHECK(has(f.out.str(), "--echo-text"));
    CHECK(has(f.out.str(), "--log-level"));
    CHECK_FALSE(has(f.out.str(), "--max-claims"));
    CHECK_FALSE(has(f.out.str(), "--role"));
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
    CHECK(has(f.complaint({}), "name a role with --role, or a command"));
    CHECK(
        has(f.complaint({"nonsense"}), "\"nonsense\" is none of the commands of portitor; they are:\n  say ")
    );
}

TEST_CASE("the help of the program shows all options by owner, roles and commands", "[cli][command]")
{
    fixture f;
    REQUIRE(f.complaint({"--help"}) == "no error");
    const std::string help = f.out.str();
    for (const char* part :
         {"--role",
          "Kubernetes:",
          "Gateway:",
          "Controller:",
          "Verifier:",
          "--echo-text",
          "Commands, in place of a role:\n  say "})
        CHECK(has(help, part));
}

TEST_CASE("every command of ours can be made", "[cli][command]")
{
    const auto& all = cli::all_commands();
    CHECK(all.size() >= 2);
    for (const cli::command& each : all)
    {
        CAPTURE(each.name);
        config::loader into("portitor", "", "");
        each.make()->declare(into);
    }
}

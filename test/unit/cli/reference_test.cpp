#include "catch.hpp"
#include "cli/reference/manual.hpp"
#include "cli/reference/shells.hpp"

#include <portitor/config/setters.hpp>

using namespace portitor;

namespace {

/// A made-up command, with texts that mean something to shells and to roff.
class odd final : public cli::action
{
public:
    void declare(config::loader& into) override
    {
        config::option shade{
            "odd-shade", "it's [dark]: a\\b $(rm)", "", config::set_text(shade_), false, 'x'};
        shade.aliases = {"odd-tone"};
        into.add(std::move(shade));
        config::option kind{"odd-kind", ".TH of what", "one", config::set_text(shade_)};
        kind.values = {"one", "two"};
        into.add(std::move(kind));
        into.add(config::list_option("odd-list", std::string(200, 'w') + " and more", list_));
        into.positional("WORD", "which", words_);
    }

    result<void> resolve() override { return {}; }

    boost::asio::awaitable<result<int>> run(const roles::process&, const cli::console&) override
    {
        co_return 0;
    }

private:
    std::string shade_;
    std::vector<std::string> list_;
    std::vector<std::string> words_;
};

std::unique_ptr<cli::action> make_odd()
{
    return std::make_unique<odd>();
}

std::vector<cli::declared> all()
{
    static const std::vector<cli::command> commands{
        {.name = "deep",
         .summary = "has more below it",
         .subcommands = {
             {.name = "in-it",
              .summary = "is below",
              .make = &make_odd,
              .examples = {{"goes deep", "portitor deep in-it -x 'a'"}}}}}};
    return cli::all_declared(commands);
}

void check_has(const std::string& text, const std::vector<std::string>& parts)
{
    for (const std::string& each : parts)
    {
        INFO(each << "\nis not in\n" << text);
        CHECK(text.find(each) != std::string::npos);
    }
}

}  // namespace

TEST_CASE("what is declared is listed with its words, flags and subcommands", "[cli][reference]")
{
    const auto places = all();
    REQUIRE(places.size() == 3);
    CHECK(places[0].words.empty());
    CHECK(places[1].words == "deep");
    CHECK_FALSE(places[1].settings);
    CHECK(places[1].subcommands == std::vector<std::pair<std::string, std::string>>{{"in-it", "is below"}});
    CHECK(places[2].words == "deep in-it");
    std::vector<std::string> flags;
    for (const cli::flag& each : cli::flags_of(places[2]))
        flags.push_back(each.text);
    REQUIRE(flags.size() > 5);
    flags.resize(6);
    CHECK(
        flags ==
        std::vector<std::string>{"--config", "-x", "--odd-shade", "--odd-tone", "--odd-kind", "--odd-list"}
    );
}

TEST_CASE("texts mean nothing to the shells", "[cli][reference]")
{
    const auto places = all();
    check_has(
        cli::bash_completion(places),
        {"'deep' | 'deep in-it'",
         "'deep in-it:-x' | 'deep in-it:--odd-shade' | 'deep in-it:--odd-tone') : ;;",
         "'deep in-it:--odd-kind') COMPREPLY=($(compgen -W \"one two\" -- \"$cur\")) ;;",
         "'deep') flags='--help'; words='in-it' ;;"}
    );
    check_has(
        cli::zsh_completion(places),
        {"'(-x --odd-shade --odd-tone)-x+[it'\\''s \\[dark\\]\\: a\\\\b $(rm)]:VALUE:'",
         ":value:(one two)'",
         "'*--odd-list=[",
         "'*:WORD: '",
         "_portitor_deep_in_it() {"}
    );
    check_has(
        cli::fish_completion(places),
        {"-n '__portitor_at \\'deep in-it\\'' -s x -l odd-shade -l odd-tone -x -d",
         " -d 'it\\'s [dark]: a\\\\b $(rm)'",
         "-l odd-kind -x -a 'one two' -d"}
    );
}

TEST_CASE("texts mean nothing to roff", "[cli][reference]")
{
    const std::string page = cli::manual_page(all());
    check_has(
        page,
        {".SS portitor deep in\\-it\n",
         "\\fB\\-x\\fR, \\fB\\-\\-odd\\-shade\\fR, \\fB\\-\\-odd\\-tone\\fR \\fIVALUE\\fR\n",
         "it's [dark]: a\\eb $(rm)\n",
         "\n\\&.TH of what (default one)\n",
         std::string(200, 'w') + "\nand more",
         "\\fBportitor deep in\\-it \\-x 'a'\\fR\ngoes deep\n"}
    );
}

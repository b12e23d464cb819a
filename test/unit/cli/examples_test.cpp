#include "catch.hpp"
#include "cli/command_line.hpp"
#include "cli/reference/declared.hpp"
#include "files.hpp"

#include <sstream>

using namespace portitor;

namespace {

/// The words behind `portitor`, as a shell would give them: to a redirection, or to the end of `<(…)`.
std::vector<std::string> words_of(std::string typed)
{
    const std::string own = "portitor ";
    REQUIRE(typed.find(own) != typed.npos);
    typed.erase(0, typed.find(own) + own.size());
    // Nobody's address can stand in a help.
    const std::string open = "0x…";
    if (const std::size_t at = typed.find(open); at != typed.npos)
        typed.replace(at, open.size(), "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955");
    std::vector<std::string> out{""};
    bool is_quoted = false;
    for (const char c : typed)
    {
        if (c == '"')
            is_quoted = !is_quoted;
        else if (!is_quoted && (c == '>' || c == ')'))
            break;
        else if (is_quoted || c != ' ')
            out.back() += c;
        else if (!out.back().empty())
            out.emplace_back();
    }
    if (out.back().empty())
        out.pop_back();
    return out;
}

}  // namespace

TEST_CASE("every example of every command is a command line that is taken", "[cli][command]")
{
    const test::environment_variable no_wallet("X402_WALLET", "");
    unsigned count = 0;
    for (const cli::declared& place : cli::all_declared(cli::all_commands()))
    {
        for (const config::example& each : place.examples)
        {
            const auto words = words_of(each.command);
            std::vector<const char*> argv{"portitor"};
            for (const std::string& word : words)
                argv.push_back(word.c_str());
            std::ostringstream out;
            const auto job = cli::parse(cli::all_commands(), static_cast<int>(argv.size()), argv.data(), out);
            CAPTURE(each.command);
            const std::string told = job ? "taken" : job.error().why.message();
            CHECK(told == "taken");
            ++count;
        }
    }
    CHECK(count > 20);
}

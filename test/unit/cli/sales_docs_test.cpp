#include "sales_world.hpp"

#include <fstream>
#include <sstream>

using namespace portitor;
using namespace portitor::cli::samples;
using x402::payment_state;

namespace {

constexpr const char* page_file = "docs/sales.md";

/// The page with what its commands print now.
std::string rewritten(const std::string& page, sales_world& world)
{
    std::istringstream from(page);
    std::string out;
    bool is_block = false;
    for (std::string line; std::getline(from, line);)
    {
        const bool is_command = is_block && line.starts_with("$ portitor ");
        if (line.starts_with("```"))
            is_block = line == "```console";
        else if (is_block && !is_command)
            continue;
        out += line + '\n';
        if (!is_command)
            continue;
        std::istringstream typed(line.substr(std::string("$ portitor ").size()));
        std::vector<std::string> words;
        for (std::string word; typed >> word;)
            words.push_back(word);
        const auto told = world.run(words);
        std::string said = told.out + told.err;
        std::erase(said, '\r');
        out += said;
    }
    return out;
}

}  // namespace

TEST_CASE(
    "docs/sales.md shows what the command prints; PORTITOR_UPDATE_DOCS=1 writes it anew", "[cli][sales]"
)
{
    sales_world world;
    world.buy({.time = "2026-11-23T09:12:04Z"});
    world.buy({.time = "2026-11-24T10:00:00Z", .payer = bob});
    world.buy(
        {.time = "2026-11-24T18:30:17Z",
         .offer = "shop/llm",
         .amount = "50000",
         .state = payment_state::settled,
         .uri = "/services/llm/chat"}
    );
    world.buy(
        {.time = "2026-11-24T19:58:40Z",
         .payer = bob,
         .offer = "shop/llm",
         .amount = "50000",
         .state = payment_state::unknown,
         .uri = "/services/llm/chat"}
    );
    world.writer.leave();
    std::stringstream page;
    page << std::ifstream(page_file).rdbuf();
    REQUIRE(page.str().find("$ portitor sales") != std::string::npos);
    const std::string now = rewritten(page.str(), world);
    if (std::getenv("PORTITOR_UPDATE_DOCS"))
        std::ofstream(page_file) << now;
    else
        CHECK(page.str() == now);
}

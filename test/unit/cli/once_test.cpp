#include "catch.hpp"
#include "cli/command_line.hpp"
#include "hand_made_process.hpp"
#include "run.hpp"

#include <sstream>

using namespace portitor;
using portitor::test::hand_made_process;

namespace {

constexpr const char* offer = R"(
apiVersion: obol.org/v1alpha1
kind: ServiceOffer
metadata: {name: hello, namespace: sellers}
spec:
  upstream: {service: hello, port: 9000}
  payment:
    network: base-sepolia
    payTo: "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955"
    price: {perRequest: "0.001"}
)";

struct run_result
{
    int exit_code;
    std::string said;
};

run_result once(std::vector<const char*> words, const std::string& typed)
{
    hand_made_process around;
    std::istringstream in(typed);
    std::ostringstream out;
    const auto parsed = cli::parse(cli::all_commands(), static_cast<int>(words.size()), words.data(), out);
    const auto work = parsed.value()->make(around.process(), {in, out, out});
    const auto ended = portitor::test::run(around.context, work->run());
    return {ended ? *ended : 1, out.str() + (ended ? "" : ended.error().message())};
}

}  // namespace

TEST_CASE("once shows the children of what is typed, as a command and as a role", "[cli][once]")
{
    for (const char* first : {"once", "--role=once"})
    {
        const run_result shown = once({"portitor", first, "-f", "-"}, offer);
        CHECK(shown.exit_code == 2);
        CHECK(shown.said.find("sellers/hello\n  + PaymentRoute hello-payment\n") == 0);
    }
}

TEST_CASE("once takes the names of offers as words", "[cli][once]")
{
    CHECK(once({"portitor", "once", "-f", "-", "sellers/hello"}, offer).exit_code == 2);
    const run_result none = once({"portitor", "once", "-f", "-", "sellers/other"}, offer);
    CHECK(none.exit_code == 1);
    CHECK(none.said.find("no ServiceOffer that was asked for") != std::string::npos);
}

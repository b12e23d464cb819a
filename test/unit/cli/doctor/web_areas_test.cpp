#include "doctor_world.hpp"

using namespace portitor;
using namespace portitor::cli::doctor;
using namespace portitor::cli::doctor::samples;

namespace {

constexpr const char* facilitator = "https://www.x402.org/facilitator";

/// An offer that is sold with the default facilitator.
struct selling_world : doctor_world
{
    selling_world()
    {
        settings.gateway.gateway_url = "http://gateway.test:8000";
        settings.gateway.public_url = "https://api.example.com";
        cluster.lists["serviceoffers"] = {sold_offer("hello")};
        cluster.lists["paymentroutes"] = {payment_route("hello", facilitator)};
        read_market();
    }

    std::vector<finding> with(scripted_web::answerer say, examiner area)
    {
        web.say = std::move(say);
        return visit(area);
    }

    std::vector<finding> with_answer(const result<http::response>& said, examiner area)
    {
        return with([said](const std::string&, const http::request&) { return said; }, area);
    }
};

http::response gate_answer(unsigned status, const std::string& route = "", const std::string& location = "")
{
    http::response out = answer(status);
    if (!route.empty())
        out.set("X-Portitor-Route", route);
    if (!location.empty())
        out.set(http::field::location, location);
    return out;
}

result<http::response> away(const std::string& why)
{
    return fail(errc::unavailable, "{}", why);
}

/// A node that says what the test wrote, by method, and has logs of so many blocks at once.
scripted_web::answerer node(std::map<std::string, std::string> results, std::uint64_t widest = 1'000'000)
{
    return [results = std::move(results), widest](const std::string&, const http::request& asked) {
        const json::object call = object_of(asked.body());
        const std::string method = kube::string_at(call, "method");
        const auto reply = [&](const std::string& rest) {
            return result<http::response>(answer(
                200, fmt::format(R"({{"jsonrpc": "2.0", "id": {}, {}}})", kube::int_at(call, "id"), rest)
            ));
        };
        if (method == "eth_getLogs")
        {
            const json::object& filter = kube::as_object(kube::array_at(call, "params").at(0));
            const auto at = [&](const char* name) {
                return std::stoull(kube::string_at(filter, name), nullptr, 16);
            };
            if (at("toBlock") - at("fromBlock") > widest)
                return reply(R"("error": {"code": -32602, "message": "key=SECRET range too wide"})");
            return reply(R"("result": [])");
        }
        const auto found = results.find(method);
        return reply(
            found == results.end() ? R"("error": {"code": -32601, "message": "no"})"
                                   : "\"result\": " + found->second
        );
    };
}

/// What a good node of base-sepolia says.
std::map<std::string, std::string> good_node()
{
    const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()) - 3;
    return {
        {"eth_chainId", "\"0x14a34\""},
        {"eth_getCode", "\"0x6080\""},
        {"eth_getBlockByNumber", fmt::format(R"({{"number": "0x100000", "timestamp": "{:#x}"}})", now)},
        {"eth_getBalance", "\"0xde0b6b3a7640000\""}};
}

struct node_world : selling_world
{
    node_world()
    {
        settings.lists.chains.entries = {
            {"base-sepolia",
             "0x8004A818BFB912233c491871b3d84c89A494BD9e",
             {"https://node.example.com/v2/SECRET"}}};
        registrar = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";
    }

    std::vector<finding>
    with_node(const std::map<std::string, std::string>& changes, std::uint64_t widest = 1'000'000)
    {
        auto results = good_node();
        for (const auto& [method, said] : changes)
            results[method] = said;
        return with(node(results, widest), &examine_nodes);
    }
};

}  // namespace

TEST_CASE("doctor tells the gate's refusal from everything else", "[cli][doctor]")
{
    selling_world world;
    const auto with = [&](const http::response& said) { return world.with_answer(said, &examine_gate); };
    const auto refused = with(gate_answer(402, "shop/hello"));
    CHECK(says(refused, "ok shop/hello by gateway-url: HTTP 402, by the gate itself"));
    CHECK(says(refused, "ok shop/hello by public URL: HTTP 402, by the gate itself"));
    REQUIRE(world.web.seen.size() == 2);
    CHECK(world.web.seen[0][http::field::host] == "api.example.com");
    CHECK(world.web.seen[0].target().starts_with("/services/hello"));

    CHECK(says(
        with(gate_answer(200)), "failure shop/hello by public URL: HTTP 200: it was served without payment"
    ));
    CHECK(says(
        with(gate_answer(402, "shop/else")),
        "failure shop/hello by public URL: HTTP 402 by the gate of shop/else"
    ));
    CHECK(says(with(gate_answer(404)), "failure shop/hello by gateway-url: HTTP 404, which the gate did not")
    );
    CHECK(says(with(gate_answer(503, "shop/hello")), "warning shop/hello by gateway-url: HTTP 503"));
    const auto redirect = with(gate_answer(308, "", "https://api.example.com/x?key=SECRET"));
    CHECK(says(redirect, "warning shop/hello by gateway-url: HTTP 308 to https://api.example.com/x\n"));
    CHECK_FALSE(says(redirect, "SECRET"));
}

TEST_CASE("doctor names the route of somebody else that answers in an offer's place", "[cli][doctor]")
{
    selling_world world;
    const auto route = [](const char* name, const char* path) {
        return object_of(fmt::format(
            R"({{"metadata": {{"namespace": "shop", "name": "{}", "uid": "{}"}},
                "spec": {{"parentRefs": [{{"name": "traefik-gateway", "namespace": "traefik"}}],
                         "rules": [{{"matches": [{{"path": {{"type": "PathPrefix", "value": "{}"}}}}]}}]}}}})",
            name,
            name,
            path
        ));
    };
    world.cluster.lists["httproutes"] = {
        route("so-hello", "/services/hello"), route("grab", "/services/hello")};
    // Also where the controller has seen it already.
    const bool is_told = GENERATE(false, true);
    if (is_told)
        world.cluster.lists["serviceoffers"][0]["status"] = object_of(
            R"({"conditions": [{"type": "Ready", "status": "False", "reason": "ForeignRoute", "message": "",
                "observedGeneration": 1}]})"
        );
    world.read_market();
    const std::string grab = "HTTPRoute shop/grab, spec.rules[0] (PathPrefix /services/hello)";
    for (const char* way : {"gateway-url", "public URL"})
        CHECK(says(
            world.with_answer(gate_answer(200), &examine_gate),
            fmt::format(
                "failure shop/hello by {}: HTTP 200 without payment: {} asks for at least as much as the "
                "offer's route, and answers in its place (ForeignRoute)",
                way,
                grab
            )
        ));
    const auto advice = [&](unsigned status) {
        return world.with_answer(gate_answer(status), &examine_gate).at(0).advice;
    };
    for (const unsigned status : {200U, 302U, 404U, 500U})
        CHECK_THAT(
            advice(status),
            Catch::Matchers::Contains(status == 200 ? "delete that rule" : "it may be " + grab)
        );
    world.cluster.lists["httproutes"].pop_back();
    world.read_market();
    CHECK_THAT(advice(404), Catch::Matchers::Contains("something else answers"));
}

TEST_CASE("a gateway that is known inside of the cluster only is no failure outside", "[cli][doctor]")
{
    selling_world world;
    world.settings.gateway.gateway_url = "http://traefik.traefik.svc";
    const auto found = world.with_answer(away("host not found"), &examine_gate);
    CHECK(says(
        found, "not checked shop/hello by gateway-url: http://traefik.traefik.svc is not reached from here"
    ));
    CHECK(says(found, "failure shop/hello by public URL: host not found"));
}

TEST_CASE("doctor judges what facilitators answer", "[cli][doctor]")
{
    selling_world world;
    const auto kinds = [](const std::string& network) {
        return answer(200, R"({"kinds": [{"scheme": "exact", "network": ")" + network + R"("}]})");
    };
    const auto with = [&](const result<http::response>& said) {
        return lines(world.with_answer(said, &examine_facilitators));
    };
    const std::string name = "default (https://www.x402.org/facilitator): ";
    CHECK(with(kinds("base-sepolia")) == "ok " + name + "serves eip155:84532, took 0 ms\n");
    CHECK(with(kinds("eip155:*")) == "ok " + name + "serves eip155:*, took 0 ms\n");
    CHECK(
        with(kinds("eip155:1")) ==
        "ok " + name + "serves eip155:1, took 0 ms\nfailure " + name +
            "it does not serve eip155:84532, in which offers are paid: shop/hello\n"
    );
    CHECK(
        with(gate_answer(308, "", "https://SECRET:SECRET@www.x402.org/?a=SECRET")) ==
        "failure " + name + "HTTP 308: it redirects to https://***@www.x402.org/\n"
    );
    CHECK(with(answer(401)) == "failure " + name + "HTTP 401: it wants credentials\n");
    CHECK(with(answer(403)).starts_with("failure " + name + "HTTP 403: it refuses"));
    CHECK(with(answer(404)).starts_with("info " + name + "HTTP 404: it has no /supported"));
    CHECK(with(answer(429)).starts_with("warning "));
    CHECK(with(answer(500)).starts_with("failure "));
    CHECK(with(answer(200, "<html>\x1b[2J")).starts_with("warning " + name + "/supported: its answer"));
    CHECK(with(answer(200, R"({"kinds": {"scheme": 7}})")).find("is not one of x402") != std::string::npos);
    CHECK(with(answer(200, R"({"kinds": []})")).find("lists nothing") != std::string::npos);
    CHECK(with(answer(200, std::string(1'000'000, '['))).find("too large") != std::string::npos);
    CHECK(with(answer(200, std::string(60'000, '['))).starts_with("warning "));
    CHECK(with(fail(errc::timed_out, "no answer")) == "failure " + name + "no answer\n");
}

TEST_CASE("a facilitator that nobody uses is no failure, one that is not on the list is", "[cli][doctor]")
{
    selling_world world;
    auto& entries = world.settings.lists.facilitators.entries;
    REQUIRE(entries.size() == 1);
    entries.front().url = "https://new.example.com";
    entries.push_back({"spare", "https://spare.example.com"});
    const auto found = world.with_answer(away("connection refused"), &examine_facilitators);
    CHECK(says(found, "failure default (https://new.example.com): connection refused"));
    CHECK(says(found, "warning spare (https://spare.example.com): connection refused"));
    CHECK(says(
        found, "failure https://www.x402.org/facilitator: it is not on the operator's list, and shop/hello is"
    ));
}

TEST_CASE("doctor compares a node with its chain", "[cli][doctor]")
{
    node_world world;
    const auto well = world.with_node({});
    CHECK(says(well, "ok base-sepolia: node: a node of chain 84532"));
    CHECK(says(well, "ok base-sepolia: registry 0x8004A818BFB912233c491871b3d84c89A494BD9e: a contract"));
    CHECK(says(well, "ok base-sepolia: latest block: 1048576, "));
    CHECK(says(well, "ok base-sepolia: eth_getLogs: 500 blocks at once"));
    CHECK(says(well, "ok base-sepolia: balance of 0x14dC79964da2C08b23698B3D3cc7Ca32193d9955: 1\n"));

    const auto bad = world.with_node(
        {{"eth_getCode", "\"0x\""},
         {"eth_getBlockByNumber", R"({"number": "0x1", "timestamp": "0x1"})"},
         {"eth_getBalance", "\"0x0\""}}
    );
    CHECK(says(bad, "there is no contract at that address"));
    CHECK(says(bad, "failure base-sepolia: latest block: 1, "));
    CHECK(says(bad, "nothing: no agent can be registered"));
    CHECK(
        lines(world.with_node({{"eth_chainId", "\"0x2105\""}})) ==
        "failure base-sepolia: node: its node is one of chain 8453, but base-sepolia is chain 84532\n"
    );
}

TEST_CASE("doctor asks each node of a chain", "[cli][doctor]")
{
    node_world world;
    world.settings.lists.chains.entries.front().rpc_urls.emplace_back("https://other.example.com/SECRET");
    const auto found = world.with_node({});
    for (const std::string label : {"base-sepolia (node 1): ", "base-sepolia (node 2): "})
    {
        CHECK(says(found, "ok " + label + "node: a node of chain 84532"));
        CHECK(says(found, "ok " + label + "latest block: 1048576, "));
    }
    CHECK_FALSE(says(found, "example.com"));
}

TEST_CASE(
    "the accounts whose balances are looked at are found in RegistrationRequests and Leases", "[cli][doctor]"
)
{
    node_world world;
    world.registrar.clear();
    CHECK(says(
        world.with_node({}),
        "not checked base-sepolia: balance: neither a Lease nor a RegistrationRequest tells"
    ));
    const auto request = [](const std::string& name, const std::string& chain, const std::string& account) {
        return object_of(fmt::format(
            R"({{"metadata": {{"namespace": "shop", "name": "{}"}}, "spec": {{"chain": "{}"}},
                "status": {{"writeAhead": {{"account": "{}"}}}}}})",
            name,
            chain,
            account
        ));
    };
    const std::string account = "0x14dC79964da2C08b23698B3D3cc7Ca32193d9955";
    const std::string other = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    world.cluster.lists["registrationrequests"] = {
        request("a", "base-sepolia", account),
        request("b", "eip155:84532", account),
        request("c", "base", other),
        request("d", "base-sepolia", "no address\\u001b[2J")};
    world.read_market();
    const auto found = world.with_node({{"eth_getBalance", "\"0x0\""}});
    CHECK(says(found, "failure base-sepolia: balance of " + account + ": nothing: no agent can be registered")
    );
    CHECK_FALSE(says(found, other));
    CHECK_FALSE(says(found, "no address"));
    CHECK_FALSE(says(found, "not checked"));
    world.cluster.lists["registrationrequests"] = {};
    world.read_market();
    world.cluster.lists["leases"] = {
        object_of(R"({"metadata": {"namespace": "portitor", "name":
            "portitor-registrar-84532-14dc79964da2c08b23698b3d3cc7ca32193d9955"}})"),
        object_of(R"({"metadata": {"namespace": "portitor", "name":
            "portitor-registrar-8453-036cbd53842c5426634e7929541ec2318f3dcf7e"}})"),
        object_of(R"({"metadata": {"namespace": "portitor", "name": "portitor-registrar-84532-x"}})")};
    const auto leased = world.with_node({});
    CHECK(says(leased, "ok base-sepolia: balance of " + account + ": 1\n"));
    CHECK_FALSE(says(leased, other));
    world.registrar = other;
    CHECK(says(world.with_node({}), "ok base-sepolia: balance of " + other + ": 1\n"));
    world.low_balance = u256(2) * 1'000'000'000'000'000'000;
    CHECK(says(
        world.with_node({}),
        "warning base-sepolia: balance of " + other +
            ": 1, less than low-balance (2): the registrar sends nothing"
    ));
}

TEST_CASE("what a node says is bounded, and its URL is never shown", "[cli][doctor]")
{
    node_world world;
    CHECK(says(world.with_node({{"eth_chainId", "[]"}}), "the answer is no number"));
    CHECK(says(
        world.with_node(
            {{"eth_getBlockByNumber", R"({"number": "0xffffffffffffffffffffff", "timestamp": "0x1"})"}}
        ),
        "not checked base-sepolia: latest block: the answer is no block"
    ));
    const auto narrow = world.with_node({}, 50);
    CHECK(says(narrow, "warning base-sepolia: eth_getLogs: 500 blocks are refused"));
    CHECK(says(narrow, "-32602), 10 are not\n"));
    CHECK_FALSE(says(narrow, "SECRET"));
    CHECK(says(world.with_node({}, 5), "failure base-sepolia: eth_getLogs: "));
    const auto gone = world.with_answer(away("https://node.example.com/v2/SECRET: refused"), &examine_nodes);
    CHECK(says(gone, "failure base-sepolia: node: eth_chainId: no answer from the node"));
    CHECK_FALSE(says(gone, "SECRET"));
}

#include "route_objects.hpp"

#include <portitor/api/service_offer.hpp>

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <random>
#include <set>

using namespace portitor;
using namespace portitor::route;
using namespace portitor::route::samples;

namespace {

struct written_rule
{
    std::string pattern;
    std::string price;  // another one for each paid rule; empty: free
};

// "/a/b/" as {"a", "b"}.
std::vector<std::string> pieces(const std::string& path)
{
    std::vector<std::string> out;
    for (const char c : path)
    {
        if (c == '/')
            out.emplace_back();
        else
            out.back() += c;
    }
    if (out.back().empty())
        out.pop_back();
    return out;
}

// What docs/controller.md says of a rule, word by word.
bool is_about(const written_rule& rule, const std::string& path)
{
    std::vector<std::string> wanted = pieces(rule.pattern);
    std::vector<std::string> asked = pieces(path);
    if (!wanted.empty() && wanted.back() == "*")
    {
        wanted.pop_back();
        const bool itself = asked.size() == wanted.size();
        if (asked.size() < wanted.size() || (itself && rule.price.empty()))
            return false;
        asked.resize(wanted.size());
    }
    return std::equal(
        wanted.begin(),
        wanted.end(),
        asked.begin(),
        asked.end(),
        [](const std::string& name, const std::string& segment) { return name == "*" || name == segment; }
    );
}

// The rules' order as letters: a name, any segment, the end, the end with all below.
std::string rank(const std::string& pattern)
{
    std::string out;
    for (const std::string& each : pieces(pattern))
        out += each == "*" ? 'b' : 'a';
    if (!pattern.ends_with("/*"))
        return out + 'c';
    out.back() = 'd';
    return out;
}

// By looking at every rule: "free", the price, or that of the route itself.
std::string expected_cost(const std::vector<written_rule>& rules, const std::string& path)
{
    const written_rule* best = nullptr;
    for (const written_rule& each : rules)
    {
        if (is_about(each, path) && (!best || rank(each.pattern) < rank(best->pattern)))
            best = &each;
    }
    if (!best)
        return "10000";
    return best->price.empty() ? "free" : best->price;
}

kube::object_ptr route_with(const std::vector<written_rule>& rules)
{
    boost::json::array list;
    for (const written_rule& each : rules)
    {
        boost::json::object rule{{"pattern", each.pattern}, {"gate", each.price.empty() ? "free" : "paid"}};
        if (!each.price.empty())
            rule["price"] = each.price;
        list.push_back(std::move(rule));
    }
    return test::changed(route_object(), "/spec/rules", boost::json::serialize(list));
}

kube::object_ptr offer_with(const std::vector<written_rule>& rules)
{
    boost::json::array list;
    for (const written_rule& each : rules)
        list.push_back({{"path", each.pattern}, {"gate", each.price.empty() ? "free" : "paid"}});
    const auto plain = test::object_from(R"({
        "metadata": {"name": "hello", "namespace": "shop"},
        "spec": {"upstream": {"service": "web"}, "payment": {"network": "base-sepolia",
            "payTo": "0x209693Bc6afc0C5328bA36FaF03C514EF312287C", "price": {"perRequest": "0.01"}}}
    })");
    return test::changed(plain, "/spec/routes", boost::json::serialize(list));
}

class dice
{
public:
    explicit dice(unsigned seed) : random_(seed) {}
    std::size_t below(std::size_t limit)
    {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }
    template <std::size_t Count>
    std::string some_of(const std::array<const char*, Count>& parts, std::size_t most)
    {
        std::string out;
        for (std::size_t i = below(most + 1); i > 0; --i)
            out += parts[below(Count)];
        return out;
    }
    std::vector<written_rule> rules(const auto& parts)
    {
        std::vector<written_rule> out;
        for (std::size_t i = 1 + below(6); i > 0; --i)
        {
            const std::string pattern = some_of(parts, 4);
            const std::string price = below(2) == 0 ? "" : std::to_string(out.size() + 1);
            out.push_back({pattern.empty() ? "/" : pattern, price});
        }
        return out;
    }

private:
    std::mt19937 random_;
};

}  // namespace

TEST_CASE("for every set of rules and every path the gate does what the rules say", "[verifier][route]")
{
    const auto names = std::to_array<const char*>({"/a", "/a", "/b", "/*"});
    const auto segments = std::to_array<const char*>({"/a", "/a", "/b", "/c", "/%61", "/*"});
    dice random(20261127);
    std::set<std::string> seen;
    for (int round = 0; round < 400; ++round)
    {
        std::vector<written_rule> rules = random.rules(names);
        std::sort(rules.begin(), rules.end(), [](const auto& l, const auto& r) {
            return l.pattern < r.pattern;
        });
        const auto same = [](const auto& l, const auto& r) { return l.pattern == r.pattern; };
        rules.erase(std::unique(rules.begin(), rules.end(), same), rules.end());
        const route_ptr served = compile(route_with(rules)).value();
        for (int i = 0; i < 30; ++i)
        {
            std::string below = random.some_of(segments, 5) + (random.below(3) == 0 ? "/" : "");
            request_path path;
            REQUIRE(read_request_path(top + below, path).has_value());
            const terms* found = served->find(path);
            REQUIRE(found);
            for (auto at = below.find("%61"); at != below.npos; at = below.find("%61"))
                below.replace(at, 3, "a");
            const std::string cost = expected_cost(rules, below.empty() ? "/" : below);
            INFO(boost::json::serialize(route_with(rules)->spec().at("rules")) << " and " << below);
            REQUIRE((found->free ? "free" : found->amount_text) == cost);
            seen.insert(cost);
        }
    }
    // The sweep would prove little if it were always the same.
    CHECK(seen.size() >= 7);
}

TEST_CASE("what the controller does not take the gate does not either", "[verifier][route]")
{
    const auto parts =
        std::to_array<const char*>({"/a", "/b", "/A",  "/*",  "/", "*", "**", "/.", "/..", "?",
                                    "#",  "%",  "%2f", "%2F", " ", ";", "\\", "a",  "~",   "\n"});
    dice random(20261128);
    int taken = 0;
    int refused = 0;
    for (int round = 0; round < 3000; ++round)
    {
        const std::vector<written_rule> rules = random.rules(parts);
        const auto offer = api::parse_service_offer(*offer_with(rules));
        const auto route = compile(route_with(rules));
        INFO(boost::json::serialize(route_with(rules)->spec().at("rules")));
        REQUIRE(offer.has_value() == route.has_value());
        ++(offer ? taken : refused);
        if (offer)
            continue;
        CHECK(offer.error().message().starts_with("spec.routes["));
        CHECK(route.error().message().starts_with("spec.rules["));
    }
    CHECK(taken > 100);
    CHECK(refused > 100);
}

#include "route/route_table.hpp"
#include "route_objects.hpp"

#include <portitor/core/published.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <random>
#include <thread>

using namespace portitor;
using namespace portitor::route;
using namespace portitor::route::samples;

namespace {

entry_ptr entry_of(const kube::object_ptr& object)
{
    static metrics numbers;
    auto made = std::make_shared<table_entry>();
    made->route = compile(object).value();
    made->counters = std::make_shared<route_counters>(numbers, made->route->key());
    return made;
}

entry_ptr
entry_at(std::string_view ns, std::string_view offer, std::string_view pattern, std::string_view url)
{
    return entry_of(test::changed(route_of(ns, offer, pattern), "/spec/publicURL", fmt::format("\"{}\"", url))
    );
}

entry_ptr by_path(const route_table& table, std::string_view uri, std::string_view host = "gate.test")
{
    request_path path;
    REQUIRE(read_request_path(uri, path).has_value());
    return table.find_by_path(path, host);
}

std::string key_by_path(const route_table& table, std::string_view uri, std::string_view host = "gate.test")
{
    const entry_ptr found = by_path(table, uri, host);
    return found ? found->route->key() : "";
}

using model = std::map<std::string, entry_ptr>;

// The same by looking at every route: those of the host, or all where none names one; of these the deepest,
// if it is one.
entry_ptr by_path_in(const model& all, const std::string& text, const std::string& host)
{
    std::vector<entry_ptr> holding;
    for (const auto& [key, each] : all)
    {
        const std::string& prefix = each->route->prefix();
        if (text == prefix || text.starts_with(prefix + "/") || (prefix.empty() && text == "/"))
            holding.push_back(each);
    }
    std::vector<entry_ptr> here;
    std::copy_if(holding.begin(), holding.end(), std::back_inserter(here), [&](const entry_ptr& each) {
        return each->route->public_url().starts_with("https://" + host + "/");
    });
    const bool any_names_a_host = std::any_of(holding.begin(), holding.end(), [](const entry_ptr& each) {
        return !each->route->public_url().empty();
    });
    const std::vector<entry_ptr>& left = any_names_a_host ? here : holding;
    std::size_t longest = 0;
    for (const entry_ptr& each : left)
        longest = std::max(longest, each->route->prefix().size());
    entry_ptr best;
    for (const entry_ptr& each : left)
    {
        if (each->route->prefix().size() != longest)
            continue;
        if (best)
            return nullptr;
        best = each;
    }
    return best;
}

// An own random sequence for each test, the same every time.
class dice
{
public:
    explicit dice(unsigned seed) : random_(seed) {}
    std::size_t below(std::size_t limit)
    {
        return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
    }
    std::string path(std::size_t deepest)
    {
        std::string out;
        for (std::size_t i = below(deepest + 1); i > 0; --i)
            out += std::string("/") + "abc"[below(3)];
        return out;
    }

private:
    std::mt19937 random_;
};

const std::vector<std::string> hosts{"h0.example", "h1.example", "h2.example"};

void check_same(const route_table& table, const model& all, dice& random)
{
    REQUIRE(table.size() == all.size());
    for (const auto& [key, held] : all)
        REQUIRE(table.find(key) == held);
    for (int i = 0; i < 50; ++i)
    {
        std::string text = random.path(6);
        if (text.empty())
            text = "/";
        const std::string& host = hosts[random.below(hosts.size())];
        INFO(text << " at " << host);
        REQUIRE(by_path(table, text, host) == by_path_in(all, text, host));
    }
}

}  // namespace

TEST_CASE("whatever is put and taken, the table says what a plain list says", "[verifier][table]")
{
    dice random(20261125);
    std::vector<std::string> names;
    for (int i = 0; i < 150; ++i)
        names.push_back(fmt::format("s{}/o{}", i % 7, i));
    std::vector<entry_ptr> pool;  // several versions of each, at several paths
    for (int i = 0; i < 1200; ++i)
    {
        const std::string& name = names[random.below(names.size())];
        const auto slash = name.find('/');
        const std::string url = random.below(4) == 0 ? "" : "https://" + hosts[random.below(3)] + "/x";
        pool.push_back(entry_at(name.substr(0, slash), name.substr(slash + 1), random.path(4) + "/*", url));
    }

    route_table table;
    model all;
    std::vector<std::pair<route_table, model>> snapshots;
    for (int step = 0; step < 6000; ++step)
    {
        // Sometimes it grows, sometimes it shrinks.
        const bool growing = step / 1000 % 2 == 0;
        if (random.below(10) < (growing ? 7u : 3u))
        {
            const entry_ptr& added = pool[random.below(pool.size())];
            table = table.with(added);
            all[added->route->key()] = added;
        }
        else
        {
            const std::string& gone = names[random.below(names.size())];
            table = table.without(gone);
            all.erase(gone);
        }
        REQUIRE(table.size() == all.size());
        if (step % 200 == 0)
        {
            check_same(table, all, random);
            snapshots.emplace_back(table, all);
        }
    }
    // What was made of them later has not changed them.
    for (const auto& [old, as_it_was] : snapshots)
        check_same(old, as_it_was, random);
    for (const std::string& each : names)
        table = table.without(each);
    CHECK(table.size() == 0);
    CHECK_FALSE(by_path(table, "/a"));
}

TEST_CASE("a table that is complete stays so, and its earlier versions do not become it", "[verifier][table]")
{
    const route_table empty;
    CHECK_FALSE(empty.complete());
    const route_table begun = empty.with(entry_of(route_object()));
    CHECK_FALSE(begun.complete());
    const route_table whole = begun.completed();
    CHECK(whole.complete());
    CHECK_FALSE(begun.complete());
    CHECK(whole.size() == 1);
    CHECK(whole.without("shop/hello").complete());
    CHECK(whole.with(entry_at("a", "b", "/a/*", "")).complete());
    CHECK(whole.without("no/such").size() == 1);
}

TEST_CASE("the table finds routes by namespace and offer only", "[verifier][table]")
{
    const entry_ptr first = entry_of(route_object());
    const route_table table = route_table().with(first);
    CHECK(table.find("shop/hello") == first);
    for (const char* other :
         {"",
          "/",
          "shop",
          "shop/",
          "shop/hello/",
          "shop/hell",
          "Shop/hello",
          "other/hello",
          "shop/hello-payment"})
        CHECK_FALSE(table.find(other));
    const entry_ptr second = entry_of(test::changed(route_object(), "/spec/price", "\"5\""));
    const route_table next = table.with(second);
    CHECK(next.size() == 1);
    CHECK(next.find("shop/hello") == second);
    // A request that has found it is judged by it to its end.
    CHECK(table.find("shop/hello") == first);
    CHECK(next.without("shop/hello").size() == 0);
    CHECK(next.find("shop/hello") == second);
}

TEST_CASE("of the routes that hold a path the one that begins deepest is taken", "[verifier][table]")
{
    const route_table table = route_table()
                                  .with(entry_at("a", "root", "/*", ""))
                                  .with(entry_at("b", "services", "/services/*", ""))
                                  .with(entry_at("c", "hello", "/services/hello/*", ""))
                                  .with(entry_at("d", "deep", "/services/hello/a/b/c/*", ""));
    CHECK(key_by_path(table, "/") == "a/root");
    CHECK(key_by_path(table, "/x/y/z") == "a/root");
    CHECK(key_by_path(table, "/service") == "a/root");
    CHECK(key_by_path(table, "/services") == "b/services");
    CHECK(key_by_path(table, "/services/") == "b/services");
    CHECK(key_by_path(table, "/services/hellox") == "b/services");
    CHECK(key_by_path(table, "/services/hello") == "c/hello");
    CHECK(key_by_path(table, "/services/hello/?q=/services/hello/a/b/c") == "c/hello");
    CHECK(key_by_path(table, "/services/%68ello/a/b") == "c/hello");
    CHECK(key_by_path(table, "/services/hello/a/b/c") == "d/deep");
    CHECK(key_by_path(table, "/services/hello/a/b/c/d/e/f") == "d/deep");
    const route_table rootless = table.without("a/root");
    CHECK(key_by_path(rootless, "/x").empty());
    CHECK(key_by_path(rootless, "/").empty());
    CHECK(key_by_path(rootless.without("d/deep"), "/services/hello/a/b/c") == "c/hello");
}

TEST_CASE("of routes at the same path the host decides, and nothing is guessed", "[verifier][table]")
{
    const route_table one =
        route_table().with(entry_at("a", "x", "/services/x/*", "https://a.example/services/x"));
    // Also where there is no choice: a host that fits none may be another tenant's.
    CHECK(key_by_path(one, "/services/x", "other.example").empty());
    const route_table two =
        one.with(entry_at("b", "x", "/services/x/*", "https://b.example:8443/services/x"));
    CHECK(key_by_path(two, "/services/x/y", "a.example") == "a/x");
    CHECK(key_by_path(two, "/services/x/y", "b.example:8443") == "b/x");
    for (const char* host : {"other.example", "bb.example", "a.example.x", "xa.example", ""})
    {
        INFO(host);
        CHECK(key_by_path(two, "/services/x/y", host).empty());
    }
    // Two that cannot be told apart are both refused, whichever came first.
    for (const bool later : {false, true})
    {
        const auto third = entry_at(later ? "c" : "0", "x", "/services/x/*", "https://a.example/services/x");
        const route_table three = two.with(third);
        CHECK(key_by_path(three, "/services/x", "a.example").empty());
        CHECK(key_by_path(three, "/services/x", "b.example:8443") == "b/x");
        CHECK(key_by_path(three.without(third->route->key()), "/services/x", "a.example") == "a/x");
    }
    const route_table nameless = one.with(entry_at("c", "x", "/services/x/*", ""));
    CHECK(key_by_path(nameless, "/services/x", "a.example") == "a/x");
    CHECK(key_by_path(nameless, "/services/x", "gate.test").empty());
}

TEST_CASE("no spelling of a host lets another tenant's deeper route decide", "[verifier][table]")
{
    const route_table two = route_table()
                                .with(entry_at("a", "paid", "/svc/*", "https://a.example/svc"))
                                .with(entry_at("b", "free", "/svc/deep/*", "https://b.example/svc/deep"))
                                .with(entry_at("c", "six", "/svc/*", "https://[2001:DB8::0:1]:8443/svc"))
                                .with(entry_at("d", "none", "/svc/deep/er/*", ""));
    for (const char* host :
         {"a.example", "A.Example", "a.example:443", "a.example:80", "a.example.", "A.EXAMPLE.:443"})
    {
        INFO(host);
        CHECK(key_by_path(two, "/svc/deep/er/x", host) == "a/paid");
    }
    CHECK(key_by_path(two, "/svc/deep/er/x", "B.example.") == "b/free");
    for (const char* host : {"[2001:db8::1]", "[2001:DB8:0:0::1]:8443", "[2001:0db8::0001]"})
        CHECK(key_by_path(two, "/svc/deep/er/x", host) == "c/six");
    for (const char* host : {"", "x.a.example", "[::1]", "[2001:db8::1", "2001:db8::1", ".", "a.example.."})
    {
        INFO(host);
        CHECK(key_by_path(two, "/svc/deep/er/x", host).empty());
    }
}

TEST_CASE("routes that name no host are found by their paths, where no other names one", "[verifier][table]")
{
    const route_table all = route_table()
                                .with(entry_at("a", "x", "/services/x/*", ""))
                                .with(entry_at("b", "y", "/services/x/y/*", ""))
                                .with(entry_at("c", "z", "/elsewhere/*", "https://c.example/elsewhere"));
    CHECK(key_by_path(all, "/services/x/z", "any.example") == "a/x");
    CHECK(key_by_path(all, "/services/x/y", "any.example") == "b/y");
    CHECK(key_by_path(all, "/elsewhere", "any.example").empty());
}

TEST_CASE("a path of any depth costs no more than the deepest route", "[verifier][table]")
{
    route_table table = route_table().with(entry_at("a", "x", "/a/b/*", ""));
    std::string inside = "/a/b";
    std::string outside = "/x";
    for (int i = 0; i < 30'000; ++i)
    {
        inside += "/y";
        outside += "/y";
    }
    request_path in;
    request_path out;
    REQUIRE(read_request_path(inside, in).has_value());
    REQUIRE(read_request_path(outside, out).has_value());
    const auto begun = std::chrono::steady_clock::now();
    for (int i = 0; i < 200; ++i)
    {
        REQUIRE(table.find_by_path(in, "h"));
        REQUIRE_FALSE(table.find_by_path(out, "h"));
    }
    // One by one from the end this would hash 30 MB for each.
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(1));
}

TEST_CASE("readers on other threads see whole tables, and never an older one again", "[verifier][table]")
{
    // Two routes that always have the same price, which only rises.
    const auto pair_of = [](int price) {
        const std::string text = fmt::format("\"{}\"", price);
        return std::pair(
            entry_of(test::changed(route_of("s", "a", "/a/*"), "/spec/price", text)),
            entry_of(test::changed(route_of("s", "b", "/b/*"), "/spec/price", text))
        );
    };
    constexpr int versions = 600;
    const auto with_price = [&](const route_table& before, int price) {
        const auto [a, b] = pair_of(price);
        return before.with(a).with(b);
    };
    route_table newest = with_price(route_table(), 1);
    published<route_table> table(std::make_shared<const route_table>(newest));
    std::atomic<int> faults{0};
    std::atomic<int> saw_last{0};
    const auto price_of = [](const entry_ptr& found) {
        request_path path;
        const std::string at = found->route->prefix();
        read_request_path(at, path).value();
        return static_cast<int>(found->route->find(path)->amount);
    };
    const auto read = [&] {
        published<route_table>::reader mine(table);
        for (int last = 0; last < versions;)
        {
            const route_table& seen = mine.get();
            const entry_ptr a = seen.find("s/a");
            const entry_ptr b = seen.find("s/b");
            const int price = a ? price_of(a) : -1;
            if (!a || !b || price != price_of(b) || price < last)
            {
                ++faults;
                return;
            }
            a->counters->add(outcome::paid);
            last = price;
        }
        ++saw_last;
    };
    std::vector<std::thread> readers;
    for (int i = 0; i < 4; ++i)
        readers.emplace_back(read);
    for (int price = 2; price <= versions; ++price)
    {
        newest = with_price(newest, price);
        table.set(std::make_shared<const route_table>(newest));
    }
    for (std::thread& each : readers)
        each.join();
    CHECK(faults == 0);
    CHECK(saw_last == 4);
}

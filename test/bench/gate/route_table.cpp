// What the table of routes costs: a look-up by offer and by path, and one changed route, among so many.
// Beside it a hash table that is copied for each change.
//
//   gate_route_table COUNT...

#include "route/route_table.hpp"

#include "route/credentials.hpp"

#include <portitor/core/published.hpp>

#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <unordered_map>

namespace {

using namespace portitor;
using namespace portitor::route;

constexpr std::string_view facilitator = "https://facilitator.example.com";

route_ptr make_route(const std::string& name, unsigned price)
{
    static const auto networks = x402::network_table::built_in();
    static const std::set<std::string> facilitators{std::string(facilitator)};
    static const credential_store none{{}};
    const std::string text = fmt::format(
        R"({{"apiVersion":"obol.org/v1alpha1","kind":"PaymentRoute","metadata":{{"name":"{0}-payment",)"
        R"("namespace":"shop","generation":1,"uid":"{0}","ownerReferences":[{{"apiVersion":"obol.org/v1alpha1",)"
        R"("kind":"ServiceOffer","name":"{0}","uid":"u","controller":true}}]}},"spec":{{"price":"{1}",)"
        R"("asset":"0x036CbD53842c5426634e7929541eC2318f3dCF7e",)"
        R"("payTo":"0x209693Bc6afc0C5328bA36FaF03C514EF312287C","network":"eip155:84532",)"
        R"("facilitatorURL":"{2}","priceModel":"per-request","maxTimeoutSeconds":60,)"
        R"("pattern":"/services/{0}/*","rules":[]}}}})",
        name,
        price,
        facilitator
    );
    auto object = kube::parse_object(boost::json::parse(text).as_object());
    if (!object)
        throw std::runtime_error(object.error().message());
    auto route = served_route::compile(**object, {networks, facilitators, none});
    if (!route)
        throw std::runtime_error(route.error().message());
    return *route;
}

entry_ptr make_entry(route_ptr route)
{
    table_entry made;
    made.route = std::move(route);
    return std::make_shared<const table_entry>(std::move(made));
}

// Nanoseconds of one call, as the median of several runs.
template <typename Call>
double nanoseconds(std::size_t calls, Call call)
{
    std::vector<double> runs;
    for (int run = 0; run < 7; ++run)
    {
        const auto begin = std::chrono::steady_clock::now();
        for (std::size_t i = 0; i < calls; ++i)
            call(i);
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
        runs.push_back(took.count() / static_cast<double>(calls));
    }
    std::sort(runs.begin(), runs.end());
    return runs[runs.size() / 2];
}

void expect(bool holds)
{
    if (!holds)
        throw std::runtime_error("the table gave another route");
}

using copied_table = std::unordered_map<std::string, entry_ptr>;

void measure(std::size_t count)
{
    route_table table;
    copied_table copied;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < count; ++i)
    {
        names.push_back(fmt::format("offer-{}", i));
        const entry_ptr entry = make_entry(make_route(names.back(), 1000));
        table = table.with(entry);
        copied.emplace(entry->route->key(), entry);
    }
    table = table.completed();

    std::mt19937 random(402);
    std::uniform_int_distribution<std::size_t> any(0, count - 1);
    constexpr std::size_t questions = 4096;
    std::vector<std::string> keys;
    std::vector<request_path> paths(questions);
    for (std::size_t i = 0; i < questions; ++i)
    {
        const std::string& name = names[any(random)];
        keys.push_back("shop/" + name);
        if (!read_request_path("/services/" + name + "/v1/answers/7?language=en", paths[i]))
            throw std::runtime_error("a path was refused");
    }

    const double by_key =
        nanoseconds(questions, [&](std::size_t i) { expect(table.find(keys[i])->route->key() == keys[i]); });
    const double by_path = nanoseconds(questions, [&](std::size_t i) {
        expect(table.find_by_path(paths[i], "api.example.com")->route->key() == keys[i]);
    });
    const double by_hash_table = nanoseconds(questions, [&](std::size_t i) {
        expect(copied.find(keys[i])->second->route->key() == keys[i]);
    });

    // From a changed route to what the next question sees.
    std::vector<entry_ptr> changed;
    for (std::size_t i = 0; i < 256; ++i)
        changed.push_back(make_entry(make_route(names[any(random)], 2000)));
    published<route_table> shown(std::make_shared<const route_table>(table));
    published<route_table>::reader reader(shown);
    const double change = nanoseconds(changed.size(), [&](std::size_t i) {
        table = table.with(changed[i]);
        shown.set(std::make_shared<const route_table>(table));
        expect(reader.get().find(changed[i]->route->key()) == changed[i]);
    });
    published<copied_table> shown_copy(std::make_shared<const copied_table>(copied));
    published<copied_table>::reader copy_reader(shown_copy);
    const double change_by_copy = nanoseconds(count > 10'000 ? 4 : 64, [&](std::size_t i) {
        auto next = std::make_shared<copied_table>(copied);
        (*next)[changed[i]->route->key()] = changed[i];
        shown_copy.set(std::move(next));
        expect(copy_reader.get().at(changed[i]->route->key()) == changed[i]);
    });

    std::printf(
        "{\"routes\":%zu,\"by_key_ns\":%.1f,\"by_path_ns\":%.1f,\"by_hash_table_ns\":%.1f,\"change_us\":%.2f,"
        "\"change_by_copy_us\":%.1f}\n",
        count,
        by_key,
        by_path,
        by_hash_table,
        change / 1000,
        change_by_copy / 1000
    );
}

}  // namespace

int main(int count, char** arguments)
try
{
    for (int i = 1; i < count; ++i)
        measure(std::stoul(arguments[i]));
}
catch (const std::exception& failure)
{
    std::fprintf(stderr, "gate_route_table: %s\n", failure.what());
    return 1;
}

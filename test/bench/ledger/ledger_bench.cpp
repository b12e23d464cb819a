// What the record costs a payment: reserved, settling, delivering with what settled it, delivered, by so many
// buyers at once. CPU of all threads, beside the same in memory.
//
//   ledger_bench [COUNT [BUYERS]]        (files in the working folder)

#include "cpu_time.hpp"

#include <portitor/ledger/memory_ledger.hpp>
#include <portitor/ledger/sqlite_ledger.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace {

namespace asio = boost::asio;

using namespace portitor;
using namespace portitor::x402;

std::shared_ptr<const payment_terms> terms()
{
    auto out = std::make_shared<payment_terms>();
    out->wanted.network = "eip155:84532";
    out->wanted.v1_network = "base-sepolia";
    out->wanted.amount = 10'000;
    out->wanted.asset = "0x036CbD53842c5426634e7929541eC2318f3dCF7e";
    out->wanted.pay_to = "0x209693Bc6afc0C5328bA36FaF03C514EF312287C";
    out->wanted.resource_url = "https://example.test/services/hello";
    out->wanted.description = "A service that says hello";
    out->wanted.mime_type = "application/json";
    out->wanted.asset_name = "USDC";
    out->wanted.asset_version = "2";
    out->facilitator_url = "https://facilitator.example.test";
    out->offer = "demo/hello";
    out->offer_uid = "5f0c7d2e-0000-4000-8000-000000000001";
    out->method = "GET";
    out->uri = "/services/hello?page=2";
    out->request_id = "0123456789abcdef";
    return out;
}

struct load
{
    payment_store& store;
    std::size_t left;
    std::size_t next = 0;
    std::vector<std::chrono::nanoseconds> took = {};
};

asio::awaitable<void> buy(load& of)
{
    const std::uint64_t valid_before = static_cast<std::uint64_t>(std::time(nullptr)) + 300;
    static const auto wanted = terms();
    while (of.left > 0)
    {
        --of.left;
        const std::size_t number = ++of.next;
        auto offered = std::make_shared<payment>();
        offered->version = 2;
        offered->scheme = "exact";
        offered->network = "eip155:84532";
        offered->nonce = fmt::format("0x{:064x}", number * 0x9e37'79b9'7f4a'7c15ULL);
        offered->valid_before = valid_before;
        new_payment what;
        what.key = payment_key(
            "eip155:84532",
            "0x036cbd53842c5426634e7929541ec2318f3dcf7e",
            fmt::format("0x{:040x}", number % 1'000),
            offered->nonce
        );
        what.valid_before = valid_before;
        what.terms = wanted;
        what.offered = std::move(offered);
        const auto began = std::chrono::steady_clock::now();
        auto begun = co_await of.store.begin(std::move(what));
        payment_record now = std::get<record_made>(begun.value()).record;
        for (const payment_state state :
             {payment_state::settling, payment_state::delivering, payment_state::delivered})
        {
            payment_change change(state);
            change.own = state != payment_state::delivered;
            change.knowledge = !change.own;
            if (state == payment_state::delivering)
            {
                change.receipt = std::string(300, 'r');
                change.proof = payment_proof{fmt::format("0x{:064x}", number), true};
            }
            auto done = co_await of.store.advance(now.key, now.revision, std::move(change));
            now = std::move(std::get<change_made>(done.value()).record);
        }
        of.took.push_back(std::chrono::steady_clock::now() - began);
    }
}

void measure(const char* name, payment_store& store, asio::io_context& context, std::size_t count, int buyers)
{
    load of{store, count};
    const double cpu = bench::own_cpu_seconds();
    const auto began = std::chrono::steady_clock::now();
    std::size_t running = static_cast<std::size_t>(buyers);
    for (int i = 0; i < buyers; ++i)
        asio::co_spawn(context, buy(of), [&](std::exception_ptr failed) {
            if (failed)
                std::rethrow_exception(failed);
            --running;
        });
    context.restart();
    while (running > 0)
        context.run_one_for(std::chrono::seconds(1));
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::sort(of.took.begin(), of.took.end());
    const auto at = [&](double part) {
        const auto place = static_cast<std::size_t>(part * static_cast<double>(of.took.size() - 1));
        return std::chrono::duration<double, std::milli>(of.took[place]).count();
    };
    fmt::print(
        "{:8} {:4} buyers  {:7.1f} us CPU a payment  {:8.0f} payments/s  p50 {:.2f} ms  p99 {:.2f} ms\n",
        name,
        buyers,
        (bench::own_cpu_seconds() - cpu) * 1e6 / static_cast<double>(count),
        static_cast<double>(count) / wall,
        at(0.5),
        at(0.99)
    );
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv)
{
    const std::size_t count = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
    const system_clock wall;
    steady_timekeeper time;
    const int only = argc > 2 ? std::atoi(argv[2]) : 0;
    for (const int buyers : {1, 64, 512})
    {
        if (only != 0 && buyers != only)
            continue;
        const std::size_t all = buyers == 1 ? std::max<std::size_t>(count / 20, 1) : count;
        {
            asio::io_context context;
            const auto work = asio::make_work_guard(context);
            ledger::memory_ledger store(wall, time);
            const auto session = store.open();
            measure("memory", *session, context, all, buyers);
        }
        asio::io_context context;
        const auto work = asio::make_work_guard(context);
        for (const char* end : {"", "-wal", "-shm", ".lock"})
            std::filesystem::remove(std::string("ledger-bench.db") + end);
        ledger::file_settings settings;
        settings.file = "ledger-bench.db";
        auto store = ledger::sqlite_ledger::open(settings, context.get_executor(), wall, time, logger());
        if (!store)
            throw std::runtime_error(store.error().message());
        measure("sqlite", **store, context, all, buyers);
    }
    for (const char* end : {"", "-wal", "-shm", ".lock"})
        std::filesystem::remove(std::string("ledger-bench.db") + end);
}

#include "roles/verifier/payment_service.hpp"

#include "roles/verifier/open_ledger.hpp"
#include "roles/verifier/payment_log.hpp"
#include "roles/verifier/settlement_nodes.hpp"

#include <boost/asio/post.hpp>

#include <map>

namespace portitor::verifier {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds publishing_period(500);

std::map<std::string, std::string> names_by_url(const config::operator_lists& lists)
{
    std::map<std::string, std::string> out;
    for (const config::facilitator& each : lists.facilitators.entries)
        out[each.url] = each.name;
    return out;
}

}  // namespace

payment_service::payment_service(const roles::process& around, asio::any_io_executor strand)
    : around_(around), strand_(std::move(strand))
{}

result<std::unique_ptr<payment_service>>
payment_service::make(const roles::process& around, const options& wanted, asio::any_io_executor strand)
{
    std::unique_ptr<payment_service> out(new payment_service(around, std::move(strand)));
    auto assembled = out->assemble(wanted);
    if (!assembled)
        return assembled.error();
    return out;
}

result<void> payment_service::assemble(const options& wanted)
{
    http::client_settings pooling;
    pooling.max_idle_per_origin = 64;
    pooling.log = around_.log;
    auto client = http::make_client(strand_, pooling);
    if (!client)
        return client.error();
    client_ = std::move(*client);
    auto asked = ask_nodes(wanted);
    if (!asked)
        return asked;
    facilitator_.emplace(*client_);
    guard_.emplace(*facilitator_, around_.timers);
    auto store = open_ledger(around_, wanted, strand_, observe_writes(around_.metrics));
    if (!store)
        return store.error();
    store_ = std::move(*store);

    x402::engine_limits limits;
    limits.validity.least = wanted.max_validity;
    limits.unproven_of_payer = wanted.max_unproven;
    if (chain_)
        limits.check_receipts = [this](std::string_view network) { return chain_->checks_receipts(network); };
    engine_.emplace(
        x402::payment_engine::parts{
            strand_,
            *guard_,
            *store_,
            around_.clock,
            around_.timers,
            chain_ ? &*chain_ : nullptr,
            around_.log,
            [log = payment_log(around_.log)](const x402::payment_report& told) { log.write(told); },
        },
        std::move(limits)
    );
    const x402::network_table& networks = wanted.lists.networks.table;
    signatures_.emplace(strand_, accounts_ ? &*accounts_ : nullptr, networks);
    till_.emplace(till::parts{strand_, *engine_, *signatures_, networks, around_.timers});
    metrics_.emplace(around_.metrics, *engine_, *store_, *guard_, names_by_url(wanted.lists));
    publish();
    return {};
}

result<void> payment_service::ask_nodes(const options& wanted)
{
    auto nodes = settlement_nodes(*client_, around_.timers, wanted.lists.chains, wanted.lists.networks.table);
    if (!nodes)
        return nodes.error();
    if (nodes->empty())
        return {};
    chain_.emplace(std::move(*nodes), around_.clock, around_.timers);
    accounts_.emplace(*chain_, around_.timers);
    return {};
}

void payment_service::start()
{
    tasks_.spawn("payments", work());
    tasks_.spawn("payment metrics", keep_publishing());
}

// Without it places are never given back, and payments are refused sooner or later: another process, or this
// one begun anew, does better.
asio::awaitable<void> payment_service::work()
{
    co_await engine_->run();
    around_.log.error("the process ends: it must not work on payments any more");
    end_process();
}

void payment_service::end_process()
{
    asio::post(around_.executor, [&stop = around_.stop] { stop.request(1); });
}

void payment_service::publish()
{
    std::optional<std::string> away = store_->away();
    metrics_->publish(!away);
    const std::lock_guard lock(mutex_);
    away_ = std::move(away);
}

asio::awaitable<void> payment_service::keep_publishing()
{
    for (;;)
    {
        publish();
        co_await around_.timers.sleep_for(publishing_period);
    }
}

asio::awaitable<void> payment_service::finish(std::chrono::steady_clock::time_point deadline)
{
    tasks_.cancel();
    co_await tasks_.join();
    co_await engine_->finish(deadline);
    publish();
}

std::optional<std::string> payment_service::away() const
{
    const std::lock_guard lock(mutex_);
    return away_;
}

}  // namespace portitor::verifier

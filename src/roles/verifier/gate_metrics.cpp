#include "roles/verifier/gate_metrics.hpp"

#include <portitor/core/task_group.hpp>

namespace portitor::verifier {

namespace {

constexpr std::chrono::milliseconds period(500);

/// Our counters are brought up to numbers that are counted elsewhere.
void raise(counter& to, std::uint64_t value)
{
    if (value > to.value())
        to.add(value - to.value());
}

}  // namespace

gate_metrics::gate_metrics(
    metrics& numbers,
    const x402::gate& gate,
    const x402::claim_table& claims,
    const x402::guarded_facilitator& facilitators,
    std::map<std::string, std::string> names
)
    : numbers_(numbers), gate_(gate), claims_(claims), facilitators_(facilitators), names_(std::move(names))
{
    publish();
}

boost::asio::awaitable<void> gate_metrics::keep_publishing()
{
    for (;;)
    {
        publish();
        co_await sleep_for(period);
    }
}

void gate_metrics::count(const char* event, std::uint64_t value)
{
    raise(numbers_.counter("portitor_payments_total", "What became of payments", {{"event", event}}), value);
}

void gate_metrics::publish()
{
    const x402::gate_counters& so_far = gate_.counters();
    count("paid", so_far.paid);
    count("paid_again", so_far.paid_again);
    count("payment_required", so_far.payment_required);
    count("already_used", so_far.already_used);
    count("busy", so_far.busy);
    count("facilitator_unavailable", so_far.facilitator_unavailable);
    count("settlement_unknown", so_far.settlement_unknown);
    count("internal", so_far.internal);
    count("table_full", so_far.table_full);
    count("payer_full", so_far.payer_full);
    count("settled_late", so_far.settled_late);
    count("unproven", so_far.unproven);
    count("settle_retry", so_far.settle_retries);
    count("resolution", so_far.resolutions);
    count("chain_lookup", so_far.chain_lookups);
    count("chain_settled", so_far.chain_settled);
    count("chain_over", so_far.chain_over);

    const x402::claim_counts now = claims_.counts();
    const std::pair<const char*, std::size_t> states[] = {
        {"verifying", now.verifying},
        {"settling", now.settling},
        {"granted", now.granted},
        {"undelivered", now.undelivered},
        {"used", now.used},
        {"unknown", now.unknown},
    };
    for (const auto& [state, number] : states)
        numbers_.gauge(
                    "portitor_claims", "Payments that are remembered, by state", {{"state", state}}
        ).set(static_cast<std::int64_t>(number));
    numbers_
        .gauge(
            "portitor_claims_fill_percent",
            "Remembered payments that cannot make room for new ones, of those that there is room for"
        )
        .set(static_cast<std::int64_t>(fill_percent()));
    publish_facilitators();
}

std::size_t gate_metrics::fill_percent() const
{
    const std::size_t held = claims_.size() - claims_.counts().used;
    return claims_.capacity() == 0 ? 100 : held * 100 / claims_.capacity();
}

void gate_metrics::publish_facilitators()
{
    for (const x402::facilitator_state& each : facilitators_.states())
    {
        const auto known = names_.find(each.url);
        const std::string name = known == names_.end() ? std::string("other") : known->second;
        const auto total = [&](const char* result) -> counter& {
            return numbers_.counter(
                "portitor_facilitator_calls_total",
                "Calls of facilitators: passed on, failed of these, and rejected unsent, by the reason",
                {{"facilitator", name}, {"result", result}}
            );
        };
        raise(total("passed"), each.calls);
        raise(total("failed"), each.failures());
        raise(total("rejected_busy"), each.rejected_busy);
        raise(total("rejected_held"), each.rejected_held);
        raise(total("rejected_open"), each.rejected_open);
        publish_trouble(each, name);
        numbers_
            .gauge(
                "portitor_facilitator_offers_open",
                "Offers whose calls are not passed on because the facilitator did not answer theirs",
                {{"facilitator", name}}
            )
            .set(static_cast<std::int64_t>(each.offers_open));
        numbers_.gauge(
                    "portitor_facilitator_in_flight", "Calls under way", {{"facilitator", name}}
        ).set(static_cast<std::int64_t>(each.in_flight));
        numbers_
            .gauge(
                "portitor_facilitator_circuit_open",
                "1 while no calls are passed on because the facilitator is not reached, or asked to wait",
                {{"facilitator", name}}
            )
            .set(each.circuit != x402::circuit_state::closed || each.held ? 1 : 0);
    }
}

void gate_metrics::publish_trouble(const x402::facilitator_state& of, const std::string& name)
{
    using x402::facilitator_trouble;
    const std::pair<facilitator_trouble, std::uint64_t> all[] = {
        {facilitator_trouble::unreached, of.unreached},
        {facilitator_trouble::slow, of.slow},
        {facilitator_trouble::no_answer, of.no_answer},
        {facilitator_trouble::redirect, of.redirects},
        {facilitator_trouble::credentials, of.credentials},
    };
    for (const auto& [trouble, number] : all)
        raise(
            numbers_.counter(
                "portitor_facilitator_failures_total",
                "Failed calls of facilitators by what was wrong",
                {{"facilitator", name}, {"trouble", to_string(trouble)}}
            ),
            number
        );
}

}  // namespace portitor::verifier

#include "roles/verifier/payment_metrics.hpp"

namespace portitor::verifier {

namespace {

/// Our counters are brought up to numbers that are counted elsewhere.
void raise(counter& to, std::uint64_t value)
{
    if (value > to.value())
        to.add(value - to.value());
}

}  // namespace

payment_metrics::payment_metrics(
    metrics& numbers,
    const x402::payment_engine& engine,
    const x402::payment_store& store,
    const x402::guarded_facilitator& facilitators,
    std::map<std::string, std::string> names
)
    : numbers_(numbers), engine_(engine), store_(store), facilitators_(facilitators), names_(std::move(names))
{}

void payment_metrics::publish(bool up)
{
    publish_events();
    publish_record(up);
    publish_facilitators();
}

void payment_metrics::count(const char* event, std::uint64_t value)
{
    raise(numbers_.counter("portitor_payments_total", "What became of payments", {{"event", event}}), value);
}

void payment_metrics::publish_events()
{
    const x402::engine_counters& so_far = engine_.counters();
    count("paid", so_far.paid);
    count("paid_again", so_far.paid_again);
    count("payment_required", so_far.payment_required);
    count("already_used", so_far.already_used);
    count("busy", so_far.busy);
    count("facilitator_unavailable", so_far.facilitator_unavailable);
    count("settlement_unknown", so_far.settlement_unknown);
    count("ledger_away", so_far.store_away);
    count("internal", so_far.internal);
    count("table_full", so_far.table_full);
    count("payer_full", so_far.payer_full);
    count("offer_full", so_far.offer_full);
    count("namespace_full", so_far.tenant_full);
    count("settled_late", so_far.settled_late);
    count("unproven", so_far.unproven);
    count("unproven_refused", so_far.unproven_refused);
    count("settle_retry", so_far.settle_retries);
    count("resolution", so_far.resolutions);
    count("chain_lookup", so_far.chain_lookups);
    count("chain_settled", so_far.chain_settled);
    count("chain_over", so_far.chain_over);
    count("receipt_refuted", so_far.receipts_refuted);
    count("reorganised", so_far.reorganised);
    count("interrupted", so_far.interrupted);
    count("lost_race", so_far.lost_races);
}

void payment_metrics::publish_record(bool up)
{
    const auto show = [&](const char* name, const char* help, std::size_t value) {
        numbers_.gauge(name, help).set(static_cast<std::int64_t>(value));
    };
    const x402::store_numbers now = store_.numbers();
    for (std::size_t i = 0; i < x402::payment_states; ++i)
    {
        const auto state = static_cast<x402::payment_state>(i);
        if (x402::is_over(state))
            continue;
        numbers_
            .gauge(
                "portitor_payments_open", "Payments on record, by state", {{"state", x402::to_string(state)}}
            )
            .set(static_cast<std::int64_t>(now.in_state[i]));
    }
    show("portitor_payments_open_percent", "Of the places for open payments, those taken", now.open_percent);
    show("portitor_payments_spent", "Payments of which it is known that they are over", now.spent);
    show("portitor_payments_spent_percent", "Of the places for those, the ones taken", now.spent_percent);
    show("portitor_ledger_up", "1 while the record of payments can be written", up ? 1 : 0);
    show("portitor_ledger_unwritten", "Known outcomes that wait to be written", now.unwritten);
}

void payment_metrics::publish_facilitators()
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

void payment_metrics::publish_trouble(const x402::facilitator_state& of, const std::string& name)
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

std::function<void(std::chrono::nanoseconds)> observe_writes(metrics& numbers)
{
    histogram& durations = numbers.histogram(
        "portitor_ledger_write_seconds", "Time that one write of the payments' record took"
    );
    return [&durations](std::chrono::nanoseconds took) {
        durations.observe(std::chrono::duration<double>(took).count());
    };
}

}  // namespace portitor::verifier

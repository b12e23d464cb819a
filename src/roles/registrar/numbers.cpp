#include "roles/registrar/numbers.hpp"

#include <portitor/api/registration_request.hpp>

#include <algorithm>
#include <array>
#include <limits>

namespace portitor::registrar {

using api::registration_phase;

namespace {

// A gauge holds no number of wei.
std::int64_t gwei(const u256& wei)
{
    const u256 out = wei / 1'000'000'000;
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    return out > most ? most : static_cast<std::int64_t>(out);
}

bool is_open(registration_phase phase)
{
    return phase == registration_phase::none || phase == registration_phase::pending ||
           phase == registration_phase::submitted || phase == registration_phase::failed;
}

/// Since when a request is in the phase that it is in.
clock::time_point since(const kube::object& request)
{
    const auto conditions = kube::parse_conditions(request.status());
    const auto* told = kube::find_condition(conditions, "Registered");
    return told ? from_rfc3339(told->last_transition_time) : request.meta.created;
}

}  // namespace

numbers::numbers(
    metrics& into,
    const clock& wall,
    const accounts& of,
    const chain_links& chains,
    std::function<std::vector<kube::object_ptr>()> all_requests
)
    : into_(into), wall_(wall), accounts_(of), chains_(chains), all_requests_(std::move(all_requests)),
      collector_(into.collect([this] { measure(); }))
{}

void numbers::measure()
{
    measure_requests();
    measure_accounts();
}

void numbers::measure_requests()
{
    constexpr auto phases = static_cast<std::size_t>(registration_phase::retired) + 1;
    std::array<std::int64_t, phases> by_phase{};
    std::chrono::seconds oldest{0};
    for (const kube::object_ptr& each : all_requests_())
    {
        const registration_phase phase = api::read_registration_state(*each).phase;
        ++by_phase[static_cast<std::size_t>(phase)];
        if (is_open(phase))
            oldest = std::max(
                oldest, std::chrono::duration_cast<std::chrono::seconds>(wall_.now() - since(*each))
            );
    }
    for (std::size_t i = 0; i < phases; ++i)
        into_
            .gauge(
                "portitor_registrar_requests",
                "RegistrationRequests by phase; without one: not looked at yet.",
                {{"phase", api::to_string(static_cast<registration_phase>(i))}}
            )
            .set(by_phase[i]);
    into_
        .gauge(
            "portitor_registrar_oldest_open_seconds",
            "How long the longest one has been in its phase of the requests that are not at their end."
        )
        .set(oldest.count());
}

void numbers::measure_accounts()
{
    accounts_.each([this](const account& each) {
        const metric_labels labels{
            {"chain", std::to_string(each.who().chain_id)}, {"account", each.who().address.to_checksum()}};
        into_.gauge("portitor_registrar_leads", "1 where this process sends for the account.", labels)
            .set(each.leads() ? 1 : 0);
        if (!each.leads())
            return;
        const clock::time_point now = wall_.now();
        into_.gauge("portitor_registrar_spent_today_gwei", "Since 00:00 UTC, of dailySpend.", labels)
            .set(gwei(each.spent().spent(now)));
        into_.gauge("portitor_registrar_transactions_today", "Since 00:00 UTC, of dailyTransactions.", labels)
            .set(each.spent().transactions(now));
        if (const auto balance = chains_.last_balance(each.who().chain_id, each.who().address))
            into_.gauge("portitor_registrar_balance_gwei", "As a node told it last.", labels)
                .set(gwei(*balance));
    });
}

}  // namespace portitor::registrar

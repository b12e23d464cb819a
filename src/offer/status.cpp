#include "offer/status.hpp"

#include "offer/conditions.hpp"

#include <portitor/api/registration_request.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <tuple>

namespace portitor::offer {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_fault = 1024;

bool is_news(const kube::condition& now, const kube::condition* before)
{
    const bool repeats = now.type == api::condition_type::ready && !now.is_true();
    if (repeats || now.status == "Unknown" || !api::is_news(now.type, now.reason))
        return false;
    return !before || before->status != now.status || (now.status == "False" && before->reason != now.reason);
}

// In the same words, or in any.
bool says_the_same(const kube::condition& left, const kube::condition& right, bool in_any_words)
{
    const auto facts = [](const kube::condition& of) {
        return std::tie(of.type, of.status, of.reason, of.observed_generation, of.last_transition_time);
    };
    return facts(left) == facts(right) && (in_any_words || left.message == right.message);
}

bool says_the_same(
    const offer_status& live, const offer_status& wanted, const api::served_schema& served, bool in_any_words
)
{
    const auto facts = [](const offer_status& of) {
        return std::tie(of.observed_generation, of.endpoint, of.agent_id, of.registration_tx_hash);
    };
    if (served.offer_phase && live.phase != wanted.phase)
        return false;
    // Conditions of other types belong to others; ours are compared one by one, whatever their order.
    return facts(live) == facts(wanted) &&
           std::all_of(wanted.conditions.begin(), wanted.conditions.end(), [&](const kube::condition& each) {
               const kube::condition* held = kube::find_condition(live.conditions, each.type);
               return held && says_the_same(*held, each, in_any_words);
           });
}

// Every field is written, also an empty one: then nothing of an older status stays behind.
json::object to_json(const offer_status& of, const api::served_schema& served)
{
    json::array list;
    for (const kube::condition& each : of.conditions)
    {
        json::object said = kube::to_json(each);
        if (!served.offer_condition_generation)
            said.erase("observedGeneration");
        list.push_back(std::move(said));
    }
    json::object out{
        {"observedGeneration", of.observed_generation},
        {"endpoint", of.endpoint},
        {"agentId", of.agent_id},
        {"registrationTxHash", of.registration_tx_hash},
    };
    if (served.offer_phase)
        out["phase"] = of.phase;
    out["conditions"] = std::move(list);
    return out;
}

constexpr std::array watched{
    api::condition_type::model_ready,
    api::condition_type::upstream_healthy,
    api::condition_type::payment_gate_ready,
    api::condition_type::route_published,
    api::condition_type::ready,
};

bool is_true_of(const offer_status& said, std::string_view type, std::int64_t generation)
{
    const kube::condition* held = said.find_present(type, generation);
    return held && held->is_true();
}

std::vector<std::string> better_ones(const offer_status& live, const offer_status& wanted)
{
    std::vector<std::string> out;
    for (const std::string_view type : watched)
        if (is_true_of(wanted, type, wanted.observed_generation) &&
            !is_true_of(live, type, wanted.observed_generation))
            out.emplace_back(type);
    return out;
}

}  // namespace

std::string_view phase_of(const std::vector<kube::condition>& conditions, const draft& wanted)
{
    if (wanted.ending.stage == drain_stage::drained)
        return phase::drained;
    if (wanted.blocked)
        return phase::blocked;
    if (wanted.route->suspended)
        return phase::suspended;
    if (wanted.ending.stage == drain_stage::draining)
        return phase::draining;
    return holds_for_ready(conditions) ? phase::ready : phase::pending;
}

std::optional<new_status> make_status(
    const offer_record& offer,
    std::vector<kube::condition> conditions,
    std::string_view phase,
    const std::string& endpoint,
    const kube::object* registration,
    const api::served_schema& served,
    clock::time_point now
)
{
    kube::keep_transition_times(conditions, offer.status.conditions, now);
    const auto registered =
        registration ? api::read_registration_state(*registration) : api::registration_state{};
    const offer_status wanted{
        offer.meta.generation,
        std::string(phase),
        endpoint,
        registered.agent_id,
        registered.tx_hash,
        std::move(conditions)};
    if (says_the_same(offer.status, wanted, served, false))
        return std::nullopt;
    const auto is_ready = [&](const offer_status& of) {
        return is_true_of(of, api::condition_type::ready, wanted.observed_generation);
    };
    new_status out{to_json(wanted, served), says_the_same(offer.status, wanted, served, true), {}, false};
    out.better = better_ones(offer.status, wanted);
    out.ends_ready = is_ready(offer.status) && !is_ready(wanted);
    return out;
}

std::optional<json::object> make_fault_status(
    const offer_record& offer,
    const std::string& what,
    const api::served_schema& served,
    clock::time_point now
)
{
    namespace type = api::condition_type;
    const kube::condition* said = offer.status.find_present(type::ready, offer.meta.generation);
    if (said && said->reason == api::because::internal_error.name)
        return std::nullopt;
    // What else was written is kept: what is not applied again would be gone.
    offer_status wanted = offer.status;
    wanted.observed_generation = offer.meta.generation;
    wanted.phase = phase::pending;
    std::erase_if(wanted.conditions, [](const kube::condition& each) {
        return each.type == type::ready ||
               std::find(type::all.begin(), type::all.end(), each.type) == type::all.end();
    });
    kube::condition ready = make_condition(
        type::ready,
        "False",
        api::because::internal_error,
        "a fault of the controller with this offer: {}. It tries again, later each time; its log "
        "names this offer. Please report it",
        std::string_view(what).substr(0, longest_fault)
    );
    ready.observed_generation = offer.meta.generation;
    wanted.conditions.push_back(std::move(ready));
    kube::keep_transition_times(wanted.conditions, offer.status.conditions, now);
    return to_json(wanted, served);
}

std::vector<note> transitions(const offer_record& offer, const std::vector<kube::condition>& conditions)
{
    std::vector<note> out;
    for (const kube::condition& each : conditions)
    {
        if (!is_news(each, kube::find_condition(offer.status.conditions, each.type)))
            continue;
        const bool is_good = each.is_true() && each.type != api::condition_type::not_supported;
        const auto type = is_good ? note::severity::normal : note::severity::warning;
        out.push_back({type, each.reason, each.message});
    }
    return out;
}

}  // namespace portitor::offer

#include "offer/conditions.hpp"

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::offer {

namespace json = boost::json;

namespace {

constexpr std::string_view internal_error = "InternalError";
constexpr std::size_t longest_fault = 1024;

bool is_news(const kube::condition& now, const kube::condition* before)
{
    // Nobody asks about these: they repeat another condition, or say that nothing was to be done.
    static constexpr std::array<std::string_view, 7> quiet{
        "Disabled", "Declared", "Withheld", "Deleting", "Drained", "InvalidSpec", "MiddlewareMissing"};
    const bool repeats = now.type == "Ready" && now.status != "True";
    const bool is_quiet = std::find(quiet.begin(), quiet.end(), now.reason) != quiet.end() &&
                          !(now.reason == "Drained" && now.type == "Draining") &&
                          !(now.reason == "InvalidSpec" && now.status == "False");
    if (repeats || is_quiet || now.status == "Unknown")
        return false;
    return !before || before->status != now.status || (now.status == "False" && before->reason != now.reason);
}

}  // namespace

std::string phase_of(const std::vector<kube::condition>& conditions, const evidence& all)
{
    if (all.wanted.ending.stage == drain_stage::drained)
        return "Drained";
    if (all.wanted.blocked)
        return "Blocked";
    if (all.wanted.route->suspended)
        return "Suspended";
    if (all.wanted.ending.stage == drain_stage::draining)
        return "Draining";
    return three_hold(conditions) ? "Ready" : "Pending";
}

std::optional<json::object> make_status(
    const kube::object& offer,
    std::vector<kube::condition> conditions,
    std::string phase,
    std::string endpoint,
    const kube::object_ptr& registration,
    clock::time_point now
)
{
    const auto live = kube::parse_conditions(offer.status());
    kube::keep_transition_times(conditions, live, now);
    json::array list;
    for (const kube::condition& each : conditions)
        list.push_back(kube::to_json(each));
    const auto registered =
        registration ? api::read_registration_state(*registration) : api::registration_state{};
    // Every field is written, also an empty one: then nothing stays behind, whoever wrote it.
    json::object wanted{
        {"observedGeneration", offer.meta.generation},
        {"phase", phase},
        {"endpoint", endpoint},
        {"agentId", registered.agent_id},
        {"registrationTxHash", registered.tx_hash},
        {"conditions", std::move(list)},
    };
    // Conditions of other types belong to others; ours are compared one by one, whatever their order.
    const auto holds = [&](const json::value& condition) {
        const json::value* all = offer.status().if_contains("conditions");
        return all && all->is_array() &&
               std::any_of(all->get_array().begin(), all->get_array().end(), [&](const json::value& each) {
                   return kube::contains(each, condition);
               });
    };
    json::object rest = wanted;
    rest.erase("conditions");
    const json::array& ours = wanted["conditions"].as_array();
    if (kube::contains(offer.status(), rest) && std::all_of(ours.begin(), ours.end(), holds))
        return std::nullopt;
    return wanted;
}

std::optional<json::object>
make_fault_status(const kube::object& offer, const std::string& what, clock::time_point now)
{
    static constexpr std::array<std::string_view, 6> ours{
        "ModelReady", "UpstreamHealthy", "PaymentGateReady", "RoutePublished", "Draining", "Registered"};
    const auto live = kube::parse_conditions(offer.status());
    const kube::condition* said = kube::find_condition(live, "Ready");
    if (said && said->reason == internal_error && said->observed_generation == offer.meta.generation)
        return std::nullopt;
    std::vector<kube::condition> conditions;
    std::copy_if(live.begin(), live.end(), std::back_inserter(conditions), [](const kube::condition& each) {
        return std::find(ours.begin(), ours.end(), each.type) != ours.end();
    });
    kube::condition ready = make_condition(
        "Ready",
        "False",
        internal_error,
        "a fault of the controller with this offer: {}. It tries again, later each time; its log names this "
        "offer. Please report it",
        std::string_view(what).substr(0, longest_fault)
    );
    ready.observed_generation = offer.meta.generation;
    conditions.push_back(std::move(ready));
    kube::keep_transition_times(conditions, live, now);
    json::array list;
    for (const kube::condition& each : conditions)
        list.push_back(kube::to_json(each));
    // What else was written is kept: what is not applied again would be gone.
    return json::object{
        {"observedGeneration", offer.meta.generation},
        {"phase", "Pending"},
        {"endpoint", kube::string_at(offer.status(), "endpoint")},
        {"agentId", kube::string_at(offer.status(), "agentId")},
        {"registrationTxHash", kube::string_at(offer.status(), "registrationTxHash")},
        {"conditions", std::move(list)},
    };
}

std::vector<note> transitions(const kube::object& offer, const std::vector<kube::condition>& conditions)
{
    std::vector<note> out;
    const auto live = kube::parse_conditions(offer.status());
    for (const kube::condition& each : conditions)
    {
        if (!is_news(each, kube::find_condition(live, each.type)))
            continue;
        const auto type = each.is_true() ? note::severity::normal : note::severity::warning;
        out.push_back({type, each.reason, each.message});
    }
    return out;
}

}  // namespace portitor::offer

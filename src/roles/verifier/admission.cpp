#include "roles/verifier/admission.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/apply_status.hpp>

#include <boost/json/array.hpp>

namespace portitor::verifier {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr int longest_patience_ms = 20;

/// Whether the status lacks our verdict: none for this generation yet, or false where we say true.
bool is_missing(const route::route_record& route)
{
    if (route.judged_generation != route.meta.generation)
        return true;
    const bool consistent = route.judged_true == route.admitted &&
                            (!route.judged_true || route.last_admitted_generation == route.meta.generation);
    return !consistent || (route.served && !route.judged_true);
}

json::object verdict(const route::route_record& route, clock::time_point now)
{
    const bool admitted = route.served != nullptr;
    kube::condition said;
    said.type = "Admitted";
    said.status = admitted ? "True" : "False";
    said.reason = admitted ? "Served" : "Refused";
    said.message = admitted ? "at least one verifier serves this generation" : route.refusal;
    said.observed_generation = route.meta.generation;
    const bool moved = route.transition_time.empty() || route.judged_true != admitted;
    said.last_transition_time = moved ? to_rfc3339(now) : route.transition_time;
    json::array conditions;
    conditions.push_back(kube::to_json(said));
    json::object status{
        {"admitted", admitted},
        {"lastAdmittedGeneration", admitted ? route.meta.generation : route.last_admitted_generation},
    };
    status["conditions"] = std::move(conditions);
    return status;
}

}  // namespace

std::chrono::milliseconds admission_writer::patience()
{
    std::uniform_int_distribution<int> draw(0, longest_patience_ms);
    return std::chrono::milliseconds(draw(random_));
}

asio::awaitable<kube::reconcile_result>
admission_writer::reconcile(std::shared_ptr<const route::route_record> route)
{
    if (!is_missing(*route))
        co_return kube::reconcile_result(std::nullopt);
    auto applied = co_await kube::apply_status(
        server_,
        api::payment_route_resource,
        route->meta,
        verdict(*route, time_.now()),
        std::string(api::verifier_field_manager)
    );
    if (!applied)
        co_return applied.error().within("reporting the admission");
    co_return kube::reconcile_result(std::nullopt);
}

}  // namespace portitor::verifier

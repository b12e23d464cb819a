#include "roles/verifier/admission.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/kube/lease_record.hpp>

#include <boost/json/array.hpp>

namespace portitor::verifier {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

using route::route_record;

json::object condition(
    const route_record& route, bool admitted, std::string reason, std::string message, clock::time_point now
)
{
    kube::condition said;
    said.type = "Admitted";
    said.status = admitted ? "True" : "False";
    said.reason = std::move(reason);
    said.message = std::move(message);
    said.observed_generation = route.meta.generation;
    const bool moved = route.transition_time == clock::time_point{} || route.judged_true != admitted;
    said.last_transition_time = to_rfc3339(moved ? now : route.transition_time);
    return kube::to_json(said);
}

json::object verdict(const route_record& route, bool admitted, json::object said)
{
    json::array conditions;
    conditions.push_back(std::move(said));
    json::object out{
        {"admitted", admitted},
        {"lastAdmittedGeneration", admitted ? route.meta.generation : route.last_admitted_generation}};
    out["conditions"] = std::move(conditions);
    // Whoever says that the route is served has answered.
    if (admitted && route.last_question)
        out["answered"] = route.last_question->time;
    return out;
}

json::object served(const route_record& route, clock::time_point now)
{
    return verdict(
        route,
        true,
        condition(route, true, std::string(api::served), "at least one verifier serves this generation", now)
    );
}

json::object served_by_others(const route_record& route, clock::time_point now)
{
    return verdict(
        route,
        true,
        condition(
            route,
            true,
            std::string(api::refused_by_some),
            fmt::format(
                "a verifier serves this generation, but {} refuses it: {}",
                route.last_question->name,
                route.last_question->reason
            ),
            now
        )
    );
}

json::object refused(const route_record& route, const std::string& why, clock::time_point now)
{
    return verdict(route, false, condition(route, false, std::string(api::refused_by_all), why, now));
}

json::object question(const std::string& name, const std::string& why, clock::time_point now)
{
    return {{"asked", json::object{{"name", name}, {"reason", why}, {"time", kube::to_micro_time(now)}}}};
}

}  // namespace

asio::awaitable<kube::reconcile_result> admission_writer::reconcile(std::shared_ptr<const route_record> route)
{
    const route::admission_step next = rule_.decide(*route);
    const clock::time_point now = wall_.now();
    const std::string refusal = route->refusal_now();
    // A question is a field of its own owner: it is put into whatever the others have said.
    std::string manager(api::verifier_field_manager);
    json::object status;
    switch (next.act)
    {
    case route::admission_act::nothing:
        co_return kube::reconcile_result(next.again);
    case route::admission_act::admit:
        status = served(*route, now);
        break;
    case route::admission_act::answer:
        status = served_by_others(*route, now);
        break;
    case route::admission_act::ask:
        status = question(name_, refusal, now);
        manager += "-question";
        break;
    case route::admission_act::refuse:
        status = refused(*route, refusal, now);
        break;
    }
    kube::apply_options how;
    how.field_manager = std::move(manager);
    how.subresource = "status";
    json::object wanted = kube::make_status(api::payment_route_resource, route->meta, std::move(status));
    // Of several who saw the same one writes.
    wanted["metadata"].as_object()["resourceVersion"] = route->meta.resource_version;
    auto applied = co_await server_.apply(api::payment_route_resource, std::move(wanted), std::move(how));
    if (applied || applied.error().is_not_found() || applied.error().is_conflict())
        co_return kube::reconcile_result(next.again);
    co_return applied.error().to_error().within("reporting the admission");
}

}  // namespace portitor::verifier

#include "roles/verifier/admission.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

namespace portitor::verifier {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr int worker_count = 8;

/// The status that this verifier would write, without the conditions' times.
struct verdict
{
    bool admitted = false;
    kube::condition admitted_condition;
};

verdict judge(const kube::object& route, const served_route::limits& allowed)
{
    const auto compiled = served_route::compile(route, allowed);
    verdict out;
    out.admitted = compiled.has_value();
    out.admitted_condition.type = "Admitted";
    out.admitted_condition.status = out.admitted ? "True" : "False";
    out.admitted_condition.reason = out.admitted ? "Served" : "Refused";
    out.admitted_condition.message =
        out.admitted ? "at least one verifier serves this generation" : compiled.error().message();
    out.admitted_condition.observed_generation = route.meta.generation;
    return out;
}

/// Whether the status lacks this verdict: none for this generation yet, or false where we say true.
bool is_missing(const kube::object& route, const verdict& ours)
{
    const auto conditions = kube::parse_conditions(route.status());
    const kube::condition* live = kube::find_condition(conditions, "Admitted");
    if (!live || live->observed_generation != route.meta.generation)
        return true;
    const bool consistent =
        live->is_true() == kube::bool_at(route.status(), "admitted") &&
        (!live->is_true() || kube::int_at(route.status(), "lastAdmittedGeneration") == route.meta.generation);
    return !consistent || (ours.admitted && !live->is_true());
}

}  // namespace

admission_writer::admission_writer(
    kube::api& server,
    const kube::informer& routes,
    task_group& tasks,
    served_route::limits allowed,
    const clock& time,
    logger log,
    metrics& numbers
)
    : server_(server), routes_(routes), tasks_(tasks), allowed_(allowed), time_(time), log_(std::move(log)),
      queue_(tasks.executor(), "admission", numbers), random_(std::random_device{}())
{}

void admission_writer::consider(const kube::object_key& route)
{
    std::uniform_int_distribution<int> draw(0, 20);
    queue_.add_after(route, std::chrono::milliseconds(draw(random_)));
}

void admission_writer::start()
{
    for (int i = 0; i < worker_count; ++i)
        tasks_.spawn("admission", work());
}

asio::awaitable<void> admission_writer::work()
{
    for (;;)
    {
        const auto key = co_await queue_.get();
        if (!key)
            co_return;
        const kube::object_ptr route = routes_.objects().find(*key);
        if (route)
        {
            auto written = co_await write(route);
            if (written || written.error().is_not_found() || written.error().is_conflict())
                queue_.forget(*key);
            else
            {
                log_.warn(
                    "cannot report the admission of a route, will try again",
                    {{"route", key->to_string()}, {"err", written.error().message()}}
                );
                queue_.add_failed(*key);
            }
        }
        queue_.done(*key);
    }
}

asio::awaitable<kube::api_result<void>> admission_writer::write(kube::object_ptr route)
{
    const verdict ours = judge(*route, allowed_);
    if (!is_missing(*route, ours))
        co_return kube::api_result<void>();
    std::vector<kube::condition> conditions{ours.admitted_condition};
    kube::keep_transition_times(conditions, kube::parse_conditions(route->status()), time_.now());
    json::array list;
    list.push_back(kube::to_json(conditions.front()));
    json::object status{
        {"admitted", ours.admitted},
        {"lastAdmittedGeneration",
         ours.admitted ? route->meta.generation : kube::int_at(route->status(), "lastAdmittedGeneration")},
    };
    status["conditions"] = std::move(list);
    const json::object metadata{
        {"namespace", route->meta.ns}, {"name", route->meta.name}, {"uid", route->meta.uid}};
    json::object wanted{
        {"apiVersion", api::payment_route_resource.api_version()},
        {"kind", std::string(api::payment_route_resource.kind)},
        {"metadata", metadata},
    };
    wanted["status"] = std::move(status);
    auto applied = co_await server_.apply(
        api::payment_route_resource, std::move(wanted), std::string(api::verifier_field_manager), "status"
    );
    if (!applied)
        co_return applied.error();
    co_return kube::api_result<void>();
}

}  // namespace portitor::verifier

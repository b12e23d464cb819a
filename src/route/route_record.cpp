#include "route/route_record.hpp"

namespace portitor::route {

result<std::shared_ptr<const route_record>>
route_record::read(boost::json::object&& raw, const serving_limits& allowed)
{
    auto meta = kube::parse_meta(raw);
    if (!meta)
        return meta.error();
    const kube::object live{std::move(*meta), std::move(raw)};
    auto out = std::make_shared<route_record>();
    out->meta = static_cast<const kube::object_identity&>(live.meta);
    auto compiled = served_route::compile(live, allowed);
    if (compiled)
        out->served = std::move(*compiled);
    else
        out->refusal = compiled.error().message();
    out->read_status(live.status());
    return std::shared_ptr<const route_record>(std::move(out));
}

std::shared_ptr<const route_record> route_record::unreadable(
    const kube::object_identity& which, const boost::json::object& raw, const std::string& why
)
{
    auto out = std::make_shared<route_record>();
    out->meta = which;
    out->refusal = "the object cannot be read: " + why;
    if (const auto* status = raw.if_contains("status"); status && status->is_object())
        out->read_status(status->get_object());
    else
        // Who does not know what is written already writes nothing, rather than the same again and again.
        out->judged_generation = which.generation;
    return out;
}

void route_record::read_status(const boost::json::object& status)
{
    admitted = kube::bool_at(status, "admitted");
    last_admitted_generation = kube::int_at(status, "lastAdmittedGeneration");
    const auto conditions = kube::parse_conditions(status);
    if (const kube::condition* said = kube::find_condition(conditions, "Admitted"))
    {
        judged_generation = said->observed_generation;
        judged_true = said->is_true();
        judged_refused_by_some = said->reason == api::refused_by_some;
        transition_time = from_rfc3339(said->last_transition_time);
    }
    if (std::string asked = kube::string_at(status, "asked.time"); !asked.empty())
        last_question = std::make_shared<const route_question>(route_question{
            std::move(asked),
            kube::string_at(status, "asked.name"),
            kube::string_at(status, "asked.reason"),
            kube::string_at(status, "answered")});
}

bool route_record::judged() const
{
    if (judged_generation != meta.generation || judged_true != admitted)
        return false;
    return !admitted || last_admitted_generation == meta.generation;
}

bool route_record::called_admitted() const
{
    return judged() && admitted;
}

}  // namespace portitor::route

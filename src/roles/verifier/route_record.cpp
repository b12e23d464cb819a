#include "roles/verifier/route_record.hpp"

namespace portitor::verifier {

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
    out->admitted = kube::bool_at(live.status(), "admitted");
    out->last_admitted_generation = kube::int_at(live.status(), "lastAdmittedGeneration");
    const auto conditions = kube::parse_conditions(live.status());
    if (const kube::condition* said = kube::find_condition(conditions, "Admitted"))
    {
        out->judged_generation = said->observed_generation;
        out->judged_true = said->is_true();
        out->transition_time = said->last_transition_time;
    }
    return std::shared_ptr<const route_record>(std::move(out));
}

}  // namespace portitor::verifier

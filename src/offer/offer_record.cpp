#include "offer/offer_record.hpp"

#include <portitor/api/resources.hpp>

namespace portitor::offer {

namespace {

kube::object_key upstream_of(const kube::object& offer)
{
    kube::object_key out{
        kube::string_or(offer.spec(), "upstream.namespace", offer.meta.ns),
        kube::string_at(offer.spec(), "upstream.service")};
    const auto named = api::parse_service_name(out.name);
    if (named && !named->ns.empty())
        out = {named->ns, named->name};
    return out;
}

offer_status read_status(const boost::json::object& status)
{
    offer_status out;
    out.observed_generation = kube::int_at(status, "observedGeneration");
    out.phase = kube::string_at(status, "phase");
    out.endpoint = kube::string_at(status, "endpoint");
    out.agent_id = kube::string_at(status, "agentId");
    out.registration_tx_hash = kube::string_at(status, "registrationTxHash");
    out.conditions = kube::parse_conditions(status);
    // The predecessor's schema has no generation there: then they are as old as the whole.
    for (kube::condition& each : out.conditions)
    {
        if (each.observed_generation == 0)
            each.observed_generation = out.observed_generation;
    }
    return out;
}

}  // namespace

const kube::condition* offer_status::find_present(std::string_view type, std::int64_t generation) const
{
    const kube::condition* found = kube::find_condition(conditions, type);
    return found && found->observed_generation == generation ? found : nullptr;
}

bool offer_record::is_ours() const
{
    return selected || meta.has_finalizer(api::finalizer);
}

record_ptr offer_record::read(const kube::object& offer, bool selected)
{
    auto out = std::make_shared<offer_record>();
    out->selected = selected;
    out->meta = offer.meta;
    out->meta.owners = {};
    out->where = place_of(offer);
    out->upstream = upstream_of(offer);
    out->status = read_status(offer.status());
    out->unsupported = api::find_unsupported(offer.spec());
    auto spec = api::parse_service_offer(offer);
    if (spec)
        out->spec = std::move(*spec);
    else
        out->unreadable = spec.error().message();
    return out;
}

result<record_ptr> offer_record::decode(boost::json::object&& raw, bool selected)
{
    auto meta = kube::parse_meta(raw);
    if (!meta)
        return meta.error();
    kube::object whole{std::move(*meta), std::move(raw)};
    try
    {
        return read(whole, selected);
    }
    catch (...)
    {
        // For stand_in(): an offer that is being deleted must not look like one that stays.
        raw = std::move(whole.raw);
        throw;
    }
}

record_ptr offer_record::stand_in(
    const kube::object_identity& which, boost::json::object&& raw, const std::string& why, bool selected
)
{
    auto known = kube::parse_unreadable(std::move(raw), why);
    if (known)
        return read(**known, selected);
    auto out = std::make_shared<offer_record>();
    out->selected = selected;
    static_cast<kube::object_identity&>(out->meta) = which;
    out->identity_only = true;
    out->where = {"", "/"};  // nobody's: it keeps no other offer from its place
    out->unreadable = "the object cannot be read: " + why;
    return out;
}

}  // namespace portitor::offer

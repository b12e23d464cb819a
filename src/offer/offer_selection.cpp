#include "offer/offer_selection.hpp"

#include "offer/watch_filters.hpp"

namespace portitor::offer {

result<offer_selection> offer_selection::parse(const std::string& labels)
{
    offer_selection out;
    if (labels.empty())
        return out;
    auto has = kube::make_predicate("", labels, "");
    if (!has)
        return has.error();
    out.has_ = std::move(*has);
    return out;
}

kube::selection offer_selection::watched() const
{
    return filtered(has_ ? labelled_kind_filter() : own_kind_filter());
}

kube::decoder<offer_record> offer_selection::decoder() const
{
    return [has = has_](boost::json::object&& raw) {
        const bool selected = !has || has(raw);
        return offer_record::decode(std::move(raw), selected);
    };
}

kube::stand_in_maker<offer_record> offer_selection::stand_in() const
{
    return
        [has = has_](const kube::object_identity& which, boost::json::object&& raw, const std::string& why) {
            const bool tells = kube::find_path(raw, "metadata.labels") != nullptr;
            const bool selected = !has || !tells || has(raw);
            return offer_record::stand_in(which, std::move(raw), why, selected);
        };
}

}  // namespace portitor::offer

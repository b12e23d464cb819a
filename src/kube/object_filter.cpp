#include <portitor/kube/object_filter.hpp>

#include <algorithm>

namespace portitor::kube {

field_filter field_filter::only(std::vector<member> of)
{
    field_filter out;
    out.named_ = std::move(of);
    out.others_ = false;
    return out;
}

field_filter field_filter::all_but(std::vector<member> of)
{
    field_filter out;
    out.named_ = std::move(of);
    return out;
}

const field_filter* field_filter::find(std::string_view name) const
{
    static const field_filter none = nothing();
    const auto at =
        std::find_if(named_.begin(), named_.end(), [&](const member& each) { return each.first == name; });
    if (at != named_.end())
        return at->second.others_ && at->second.named_.empty() ? nullptr : &at->second;
    return others_ ? nullptr : &none;
}

std::shared_ptr<const object_filter> without_labels_and_annotations()
{
    using filter = field_filter;
    const filter metadata =
        filter::all_but({{"annotations", filter::nothing()}, {"labels", filter::nothing()}});
    return std::make_shared<const object_filter>(object_filter{filter::all_but({{"metadata", metadata}})});
}

}  // namespace portitor::kube

#include "offer/steps.hpp"

#include <fmt/format.h>

namespace portitor::offer {

namespace {

std::string describe(const char* verb, child_kind kind, const kube::object_key& key)
{
    return fmt::format("{} {} {}", verb, type_of(kind).resource.kind, key.to_string());
}

}  // namespace

bool plan::empty() const
{
    return !add_finalizer && applies.empty() && removes.empty() && releases.empty() && !remove_finalizer &&
           !status && notes.empty();
}

std::vector<std::string> describe(const plan& todo)
{
    std::vector<std::string> out;
    if (todo.add_finalizer)
        out.emplace_back("add the finalizer");
    for (const apply& each : todo.applies)
    {
        const auto& of = each.desired;
        out.push_back(describe(
            "apply",
            each.kind,
            {kube::string_at(of, "metadata.namespace"), kube::string_at(of, "metadata.name")}
        ));
    }
    for (const remove& each : todo.removes)
        out.push_back(describe("delete", each.kind, each.key));
    for (const release_finalizer& each : todo.releases)
        out.push_back(describe("release", each.kind, each.key));
    if (todo.status)
        out.push_back(fmt::format("write the status: {}", kube::string_at(*todo.status, "phase")));
    if (todo.remove_finalizer)
        out.emplace_back("remove the finalizer");
    return out;
}

}  // namespace portitor::offer

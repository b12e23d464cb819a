#include "cli/doctor/listeners.hpp"

#include "cli/doctor/looking.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr kube::resource namespaces{"", "v1", "namespaces", "Namespace"};
// Of so many the labels are asked for.
constexpr std::size_t most_namespaces = 30;

/// Listeners of HTTP that the offers' routes may be attached to.
std::vector<const json::object*> listeners_of(const kube::object& gateway, const std::string& section)
{
    std::vector<const json::object*> out;
    for (const json::value& each : kube::array_at(gateway.spec(), "listeners"))
    {
        const json::object& listener = kube::as_object(each);
        const std::string protocol = kube::string_at(listener, "protocol");
        if ((section.empty() || kube::string_at(listener, "name") == section) &&
            (protocol == "HTTP" || protocol == "HTTPS"))
            out.push_back(&listener);
    }
    return out;
}

void judge_status(const kube::object& gateway, const std::string& name, notebook& into)
{
    const json::array& all = kube::array_at(gateway.status(), "listeners");
    const auto at = std::find_if(all.begin(), all.end(), [&](const json::value& each) {
        return kube::string_at(kube::as_object(each), "name") == name;
    });
    if (at == all.end())
        return;
    for (const kube::condition& each : kube::parse_conditions(kube::as_object(*at)))
    {
        if ((each.type == "Accepted" || each.type == "Programmed" || each.type == "ResolvedRefs") &&
            !each.is_true())
            into.failure(
                fmt::format("listener {}", name),
                fmt::format("{} is {} ({}): {}", each.type, each.status, each.reason, each.message),
                "its port has to be one of the gateway's entry points, and its certificate has to be there"
            );
    }
}

std::string from_of(const json::object& listener)
{
    return kube::string_or(listener, "allowedRoutes.namespaces.from", "Same");
}

bool admits(
    const json::object& listener,
    const std::string& ns,
    const std::string& gateway_ns,
    const std::optional<json::object>& labels
)
{
    const std::string from = from_of(listener);
    if (from == "All" || (from == "Same" && ns == gateway_ns))
        return true;
    return from == "Selector" && labels &&
           selects(kube::object_at(listener, "allowedRoutes.namespaces.selector"), *labels);
}

/// The labels of these namespaces, as far as they may be read.
asio::awaitable<std::map<std::string, json::object>>
read_labels(const patient& of, std::set<std::string> which, notebook& into)
{
    std::map<std::string, json::object> out;
    for (const std::string& each : which)
    {
        if (out.size() >= most_namespaces)
            break;
        const auto found = co_await of.server.get(namespaces, {"", each});
        if (found)
            out.emplace(each, kube::labels_of(**found));
        else if (!found.error().is_not_found())
        {
            into.unseen("allowedRoutes", found.error(), "get namespaces");
            break;
        }
    }
    co_return out;
}

/// Which namespaces no listener takes routes of, and which it is not known of.
struct shut_out
{
    std::vector<std::string> refused;
    std::vector<std::string> unknown;
};

asio::awaitable<void> look_at_namespaces(
    const patient& of, kube::object_ptr gateway, std::vector<const json::object*> listeners, notebook& into
)
{
    constexpr const char* check = "allowedRoutes";
    const auto selling = selling_namespaces(of);
    if (!selling)
    {
        into.not_checked(check, of.no_market);
        co_return;
    }
    const bool by_labels = std::any_of(listeners.begin(), listeners.end(), [](const json::object* each) {
        return from_of(*each) == "Selector";
    });
    std::map<std::string, json::object> labels;
    if (by_labels)
        labels = co_await read_labels(of, *selling, into);
    shut_out found;
    for (const std::string& ns : *selling)
    {
        const auto known = labels.find(ns);
        const auto of_ns = known == labels.end() ? std::nullopt : std::optional(known->second);
        if (std::any_of(listeners.begin(), listeners.end(), [&](const json::object* each) {
                return admits(*each, ns, gateway->meta.ns, of_ns);
            }))
            continue;
        (by_labels && !of_ns ? found.unknown : found.refused).push_back(ns);
    }
    if (!found.refused.empty())
        into.failure(
            check,
            fmt::format("no listener takes routes of namespaces that sell: {}", some_of(found.refused)),
            "set allowedRoutes.namespaces.from of the listener to All, or to a Selector that matches them"
        );
    if (!found.unknown.empty())
        into.not_checked(
            check, fmt::format("by their labels, which were not looked at: {}", some_of(found.unknown))
        );
    if (found.refused.empty() && found.unknown.empty())
        into.ok(check, fmt::format("all namespaces that sell ({}) may publish", selling->size()));
}

}  // namespace

asio::awaitable<void> look_at_listeners(const patient& of, kube::object_ptr gateway, notebook& into)
{
    const std::string section = of.settings.gateway.section;
    auto listeners = listeners_of(*gateway, section);
    if (listeners.empty())
    {
        into.failure(
            section.empty() ? "listeners" : "listener " + section,
            section.empty() ? "the Gateway has none for HTTP" : "the Gateway has no such listener for HTTP",
            "add it to the Gateway, or set gateway.section of the chart"
        );
        co_return;
    }
    for (const json::object* each : listeners)
        judge_status(*gateway, kube::string_at(*each, "name"), into);
    co_await look_at_namespaces(of, gateway, std::move(listeners), into);
}

}  // namespace portitor::cli::doctor

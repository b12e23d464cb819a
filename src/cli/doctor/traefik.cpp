#include "cli/doctor/looking.hpp"
#include "cli/doctor/traefik_flags.hpp"
#include "offer/plan.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <set>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr kube::resource deployments{"apps", "v1", "deployments", "Deployment"};
constexpr kube::resource daemon_sets{"apps", "v1", "daemonsets", "DaemonSet"};

// Offers whose children are compared: it is one thread that does it.
constexpr std::size_t most_compared = 1'000;

/// The container of a workload that is Traefik, by its image.
const json::object* traefik_in(const kube::object& workload)
{
    for (const json::value& each : kube::array_at(workload.spec(), "template.spec.containers"))
    {
        const json::object& container = kube::as_object(each);
        if (kube::string_at(container, "image").find("traefik") != std::string::npos)
            return &container;
    }
    return nullptr;
}

std::vector<std::string> selling_namespaces(const patient& of)
{
    std::set<std::string> out;
    if (of.market)
    {
        for (const auto& [key, offer] : of.market->offers())
            out.insert(key.ns);
    }
    return {out.begin(), out.end()};
}

asio::awaitable<void> look_at_workloads(const patient& of, notebook& into)
{
    kube::selection there;
    there.ns = of.settings.gateway.gateway.ns;
    bool found_one = false;
    for (const kube::resource& kind : std::array{deployments, daemon_sets})
    {
        const auto found = co_await list(of.server, kind, there);
        if (!found)
        {
            into.unseen("settings", found.error(), fmt::format("list {} in {}", kind.plural, there.ns));
            co_return;
        }
        for (const kube::object_ptr& each : *found)
        {
            const json::object* container = traefik_in(*each);
            if (!container)
                continue;
            found_one = true;
            judge_traefik(read_traefik(*container), selling_namespaces(of), into);
        }
    }
    if (!found_one)
        into.not_checked(
            "settings",
            fmt::format(
                "no Deployment or DaemonSet of Traefik is in namespace {}, where the Gateway is", there.ns
            )
        );
}

/// Whether the children of the offers are what the controller would make by these settings.
void compare_children(const patient& of, notebook& into)
{
    constexpr const char* check = "Middlewares and routes of offers";
    if (!of.market)
        return into.not_checked(check, of.no_market);
    if (!of.settings_known)
        return into.not_checked(check, "it takes the installation's settings to compare them");
    for (const offer::child_type& each : offer::child_types)
    {
        if (!of.market->of(each.kind).synced())
            return into.not_checked(check, fmt::format("the {}s cannot be read", each.resource.kind));
    }
    std::vector<std::string> differ;
    std::size_t sold = 0;
    for (const auto& [key, record] : of.market->offers())
    {
        const auto* ready = record->status.find_present("Ready", record->meta.generation);
        if (!ready || !ready->is_true() || record->meta.deleted)
            continue;
        if (++sold > most_compared)
            break;
        const offer::plan plan =
            offer::make_plan(of.market->observe(record), of.settings, of.around.clock.now());
        for (const offer::apply& each : plan.applies)
            differ.push_back(fmt::format("{} of {}", offer::type_of(each.kind).resource.kind, key.to_string())
            );
    }
    if (differ.empty())
        return into.ok(
            check,
            fmt::format(
                "as these settings want them, of {} offers that are sold", std::min(sold, most_compared)
            )
        );
    into.warn(
        check,
        fmt::format("{} are not as these settings want them: {}", differ.size(), some_of(differ)),
        "either the controller runs with other settings (a changed file counts from its next start), or it "
        "does not run; portitor once shows the difference"
    );
}

}  // namespace

asio::awaitable<void> examine_traefik(const patient& of, notebook& into)
{
    compare_children(of, into);
    co_await look_at_workloads(of, into);
}

}  // namespace portitor::cli::doctor

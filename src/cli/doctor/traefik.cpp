#include "cli/doctor/looking.hpp"
#include "cli/doctor/traefik_flags.hpp"
#include "offer/plan.hpp"

#include <portitor/api/resources.hpp>

#include <boost/json/array.hpp>

#include <algorithm>
#include <array>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr kube::resource deployments{"apps", "v1", "deployments", "Deployment"};
constexpr kube::resource daemon_sets{"apps", "v1", "daemonsets", "DaemonSet"};

// Offers whose children are compared: it is one thread that does it.
constexpr std::size_t most_compared = 1'000;

/// The container of a workload that is Traefik.
const json::object* traefik_in(const kube::object& workload)
{
    for (const json::value& each : kube::array_at(workload.spec(), "template.spec.containers"))
    {
        if (is_traefik(kube::as_object(each)))
            return &kube::as_object(each);
    }
    return nullptr;
}

/// Judges all Traefiks among what is selected; how many there are, or what could not be listed.
asio::awaitable<kube::api_result<std::size_t>>
look_at_workloads(const patient& of, kube::selection where, notebook& into)
{
    std::size_t count = 0;
    for (const kube::resource& kind : std::array{deployments, daemon_sets})
    {
        const auto found = co_await list(of.server, kind, where);
        if (!found)
            co_return found.error();
        for (const kube::object_ptr& each : *found)
        {
            const json::object* container = traefik_in(*each);
            if (!container)
                continue;
            ++count;
            into.info("settings", fmt::format("those of {} {}", kind.kind, each->meta.key().to_string()));
            judge_traefik(read_traefik(*container), selling_namespaces(of), into);
        }
    }
    co_return count;
}

/// Where the Gateway is; else wherever a chart of Traefik's put it.
asio::awaitable<void> look_for_traefik(const patient& of, notebook& into)
{
    kube::selection there;
    there.ns = of.settings.gateway.gateway.ns;
    const auto beside = co_await look_at_workloads(of, there, into);
    if (beside && *beside > 0)
        co_return;
    kube::selection anywhere;
    anywhere.labels = "app.kubernetes.io/name=traefik";
    const auto elsewhere = co_await look_at_workloads(of, anywhere, into);
    if (elsewhere && *elsewhere > 0)
        co_return;
    if (!beside)
        into.unseen("settings", beside.error(), "list deployments and daemonsets in " + there.ns);
    else if (!elsewhere)
        into.not_checked(
            "settings",
            fmt::format("namespace {}, where the Gateway is, has no Traefik", there.ns),
            fmt::format(
                "to look elsewhere takes the right to list deployments and daemonsets in all namespaces ({})",
                elsewhere.error().message()
            )
        );
    else
        into.not_checked(
            "settings",
            fmt::format(
                "no Deployment or DaemonSet of Traefik is in namespace {}, where the Gateway is, and "
                "none with the label {} elsewhere",
                there.ns,
                anywhere.labels
            ),
            "the gate is a Middleware of Traefik, which other gateways do not know: is it installed?"
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

/// Whether a Middleware asks the verifier, under whatever name its Service has; where its URL is not known,
/// whether it asks as those of offers do.
bool asks_verifier(const patient& of, const kube::object& middleware)
{
    const std::string address = kube::string_at(middleware.spec(), "forwardAuth.address");
    const std::string& verifier = of.settings.gateway.verifier_url;
    const auto asked = http::parse_url(address);
    if (!asked)
        return false;
    const auto known = http::parse_url(verifier);
    const kube::object_key service = service_of(asked->origin.host);
    return address.starts_with(verifier + "/verify") ||
           (known && !service.name.empty() && service == service_of(known->origin.host)) ||
           (!of.settings_known && asked->target.starts_with("/verify/"));
}

/// The verifier judges the path that Traefik tells it. With this setting it is the buyer who tells.
asio::awaitable<void> look_for_trust(const patient& of, notebook& into)
{
    constexpr const char* check = "trustForwardHeader";
    const auto all = co_await list(of.server, api::middleware_resource, {});
    if (!all)
    {
        into.unseen(check, all.error(), "list middlewares");
        co_return;
    }
    if (const std::string missed = left_out(*all); !missed.empty())
        into.not_checked(check, missed);
    std::vector<std::string> trusting;
    for (const kube::object_ptr& each : *all)
    {
        if (kube::bool_at(each->spec(), "forwardAuth.trustForwardHeader") && asks_verifier(of, *each))
            trusting.push_back(each->meta.key().to_string());
    }
    if (trusting.empty())
        into.ok(check, "no Middleware that asks the verifier has it");
    else
        into.failure(
            check,
            fmt::format("it is true on Middlewares that ask the verifier: {}", some_of(trusting)),
            "set it to false, or leave it out: buyers who send X-Forwarded-Uri choose which path, and price, "
            "they are judged by"
        );
}

}  // namespace

asio::awaitable<void> examine_traefik(const patient& of, notebook& into)
{
    compare_children(of, into);
    co_await look_for_trust(of, into);
    co_await look_for_traefik(of, into);
}

}  // namespace portitor::cli::doctor

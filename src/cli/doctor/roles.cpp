#include "cli/doctor/looking.hpp"
#include "cli/doctor/release_parts.hpp"
#include "cli/output/text.hpp"
#include "roles/kube_connection.hpp"

#include <portitor/kube/lease_record.hpp>

#include <optional>
#include <set>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr kube::resource pods{"", "v1", "pods", "Pod"};
constexpr std::int64_t restarts_that_warn = 3;

void judge_deployment(const kube::object& of, notebook& into)
{
    const std::string check = fmt::format("Deployment {}", of.meta.name);
    const std::int64_t wanted = kube::int_at(of.spec(), "replicas", 1);
    const std::int64_t ready = kube::int_at(of.status(), "readyReplicas");
    const std::string words = fmt::format("{} of {} pods are ready", ready, wanted);
    const bool is_rolling = kube::int_at(of.status(), "observedGeneration") < of.meta.generation ||
                            kube::int_at(of.status(), "updatedReplicas") < wanted;
    if (wanted == 0)
        into.warn(check, "it is scaled to none", "kubectl scale deployment --replicas=1");
    else if (ready == 0)
        into.failure(check, words, fmt::format("kubectl -n {} describe pods, and their logs", of.meta.ns));
    else if (ready < wanted || is_rolling)
        into.warn(
            check, words + (is_rolling ? ", and a rollout is under way" : ""), "look again in a minute"
        );
    else
        into.ok(check, words);
}

void judge_images(const std::vector<kube::object_ptr>& all, notebook& into)
{
    std::set<std::string> images;
    for (const kube::object_ptr& each : all)
    {
        for (const json::value& container : kube::array_at(each->spec(), "template.spec.containers"))
        {
            // Others may have put theirs beside it.
            if (kube::string_at(kube::as_object(container), "name") == role_of(*each))
                images.insert(kube::string_at(kube::as_object(container), "image"));
        }
    }
    const std::vector<std::string> listed(images.begin(), images.end());
    if (listed.size() > 1)
        into.warn(
            "image",
            fmt::format("the roles have several: {}", some_of(listed)),
            "let all of them have the same, where that is no rollout"
        );
    else if (!listed.empty())
        into.ok("image", fmt::format("all roles have {}", listed.front()));
}

asio::awaitable<void> look_at_deployments(const patient& of, notebook& into)
{
    const auto found = co_await deployments_of_release(of);
    if (!found)
    {
        into.unseen("Deployments", found.error(), "list deployments in " + of.release);
        co_return;
    }
    if (found->empty())
    {
        into.not_checked(
            "Deployments",
            fmt::format("namespace {} has none of the chart's", of.release),
            "name the release's namespace with --release-namespace"
        );
        co_return;
    }
    for (const kube::object_ptr& each : *found)
        judge_deployment(*each, into);
    judge_images(*found, into);
}

void judge_restarts(const kube::object& pod, notebook& into)
{
    for (const json::value& each : kube::array_at(pod.status(), "containerStatuses"))
    {
        const json::object& container = kube::as_object(each);
        const std::int64_t count = kube::int_at(container, "restartCount");
        if (count < restarts_that_warn)
            continue;
        const std::string last = kube::string_at(container, "lastState.terminated.reason");
        into.warn(
            fmt::format("Pod {}", pod.meta.name),
            fmt::format(
                "it has been restarted {} times{}", count, last.empty() ? "" : ", last after " + last
            ),
            fmt::format("kubectl -n {} logs --previous {}", pod.meta.ns, pod.meta.name)
        );
    }
}

asio::awaitable<void> look_at_pods(const patient& of, notebook& into)
{
    kube::selection ours;
    ours.ns = of.release;
    ours.labels = "app.kubernetes.io/name=portitor";
    const auto found = co_await list(of.server, pods, std::move(ours));
    if (!found)
        into.unseen("restarts", found.error(), "list pods in " + of.release);
    else
        for (const kube::object_ptr& each : *found)
            judge_restarts(*each, into);
}

/// Who holds a Lease.
struct hold
{
    std::string words;
    bool is_renewed = false;  ///< not long ago
};

/// Nothing where nobody holds it.
std::optional<hold> read_hold(const patient& of, const kube::object& lease)
{
    const kube::lease_record said = kube::read_lease(lease);
    const auto renewed = parse_rfc3339(said.renewed);
    if (said.holder.empty() || !renewed)
        return std::nullopt;
    const auto age = std::chrono::duration_cast<std::chrono::seconds>(age_of(of, *renewed));
    // Clocks may differ a little.
    return hold{
        fmt::format("held by {}, renewed {} ago", said.holder, age_in_words(age)),
        age / 2 - std::chrono::seconds(2) <= said.duration};
}

void judge_lease(const patient& of, const kube::object& lease, notebook& into)
{
    const std::string check = fmt::format("Lease {}", lease.meta.name);
    const auto held = read_hold(of, lease);
    if (!held)
        into.failure(check, "nobody holds it", "is that role running? See its log");
    else if (!held->is_renewed)
        into.failure(check, held->words, "nobody of that role works: see its log");
    else
        into.ok(check, held->words);
}

/// The Lease of an account of the registrar. False where nobody has the account: it was given back.
bool judge_account(const patient& of, const kube::object& lease, notebook& into)
{
    const auto held = read_hold(of, lease);
    if (!held)
        return false;
    const std::string check = fmt::format("Lease {}", lease.meta.name);
    if (held->is_renewed)
        into.ok(check, held->words);
    else
        into.warn(
            check,
            held->words,
            "the registrar that sent from this account has ended at once, and none has followed: see its "
            "log. Delete the Lease where that account is used no more"
        );
    return true;
}

asio::awaitable<void> look_at_lease(const patient& of, std::string name, notebook& into)
{
    const std::string check = "Lease " + name;
    const auto found = co_await of.server.get(kube::leases, {of.release, name});
    if (found)
        judge_lease(of, **found, into);
    else if (found.error().is_not_found())
        into.warn(
            check,
            fmt::format("namespace {} has none", of.release),
            "is that role running there? See --release-namespace. None is used with leader-elect: false"
        );
    else
        into.unseen(check, found.error(), "get leases in " + of.release);
}

/// The registrar sends nothing from an account of which it cannot read what has been spent today.
void judge_spending(const kube::object& lease, notebook& into)
{
    constexpr const char* annotation = "obol.org/spent";
    const auto* text = kube::object_at(lease.raw, "metadata.annotations").if_contains(annotation);
    const auto read = text && text->is_string() ? read_object(text->get_string()) : std::nullopt;
    const bool is_whole = read && parse_rfc3339(kube::string_at(*read, "day") + "T00:00:00Z") &&
                          read->contains("changes") && read->contains("retirements") &&
                          read->contains("minedNonces");
    if (text && !is_whole)
        into.failure(
            "Lease " + lease.meta.name,
            fmt::format(
                "its annotation {} cannot be read: who takes the Lease next sends nothing", annotation
            ),
            fmt::format(
                "somebody else has changed it. To begin the day anew: kubectl annotate lease -n {} {} {}-",
                lease.meta.ns,
                lease.meta.name,
                annotation
            )
        );
}

/// The registrar has one for each account that it sends from, and none before it sends.
asio::awaitable<void> look_at_registrars_leases(const patient& of, notebook& into)
{
    constexpr const char* check = "Leases of the registrar";
    kube::selection there;
    there.ns = of.release;
    const auto found = co_await list(of.server, kube::leases, std::move(there));
    if (!found)
    {
        into.unseen(check, found.error(), "list leases in " + of.release);
        co_return;
    }
    bool has_any = false;
    for (const kube::object_ptr& each : *found)
    {
        if (!each->meta.name.starts_with("portitor-registrar-"))
            continue;
        has_any = judge_account(of, *each, into) || has_any;
        judge_spending(*each, into);
    }
    if (!has_any)
        into.info(check, "it holds none, so it sends from no account now");
}

}  // namespace

asio::awaitable<void> examine_roles(const patient& of, notebook& into)
{
    co_await look_at_deployments(of, into);
    co_await look_at_pods(of, into);
    co_await look_at_lease(of, roles::controller_lease, into);
    co_await look_at_registrars_leases(of, into);
}

}  // namespace portitor::cli::doctor

#include "cli/once/dry_run.hpp"

#include "cli/cluster/refusal.hpp"

#include <algorithm>

namespace portitor::cli::once {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::string_view owned_by_another = "FieldManagerConflict";
constexpr std::string_view no_namespace = "namespaces \"";

// "conflict with "kubectl-edit" using gateway.networking.k8s.io/v1" names the manager in quotes.
std::string manager_in(const std::string& message)
{
    const std::size_t begin = message.find('"');
    const std::size_t end = begin == message.npos ? begin : message.find('"', begin + 1);
    return end == message.npos ? message : message.substr(begin + 1, end - begin - 1);
}

bool has_no_namespace(const kube::api_error& said)
{
    return said.is_not_found() && said.message().starts_with(no_namespace);
}

// "a, b, c and 4 more"
std::string named(const std::vector<std::string>& names, std::size_t most)
{
    const std::size_t shown = std::min(names.size(), most);
    std::string out =
        fmt::format("{}", fmt::join(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown), ", "));
    if (names.size() > shown)
        out += fmt::format(" and {} more", names.size() - shown);
    return out;
}

std::vector<dispute> disputes_in(const kube::api_error& said)
{
    std::vector<dispute> out;
    for (const kube::status_cause& each : said.causes())
    {
        if (each.reason == owned_by_another)
            out.push_back({each.field, manager_in(each.message)});
    }
    return out;
}

}  // namespace

asio::awaitable<dry_run::verdict>
dry_run::ask(kube::resource kind, json::object wanted, std::string manager, stands_for whose)
{
    verdict out;
    const std::string ns = kube::string_at(wanted, "metadata.namespace");
    if (!may_ask(kind.kind, ns))
        co_return out;
    auto said = co_await apply(kind, wanted, manager, false);
    if (!said)
        out.disputes = disputes_in(said.error());
    if (!out.disputes.empty())
        said = co_await apply(kind, std::move(wanted), std::move(manager), true);
    if (said)
        out.after = *said;
    else if (is_missing_right(said.error()) || has_no_namespace(said.error()))
        silent_[kind.kind].namespaces.insert(ns);
    else if (said.error().http_status() == 403 && whose == stands_for::controller)
        silent_[kind.kind].policy = policy_in_words(said.error());
    else
        out.refused = refusal_in_words(said.error());
    co_return out;
}

bool dry_run::may_ask(std::string_view kind, const std::string& ns) const
{
    const auto at = silent_.find(kind);
    return at == silent_.end() || (at->second.policy.empty() && !at->second.namespaces.contains(ns));
}

std::vector<std::string> dry_run::unasked() const
{
    constexpr std::size_t most = 3;
    std::vector<std::string> out;
    for (const auto& [kind, where] : silent_)
    {
        std::string why = "a policy of the cluster takes them from others alone (" + where.policy + ")";
        std::string which = fmt::format("{}s", kind);
        if (where.policy.empty())
        {
            const std::vector<std::string> names(where.namespaces.begin(), where.namespaces.end());
            why = "there is no such namespace yet, or no right to patch them there";
            which += " in " + named(names, most);
        }
        out.push_back(
            fmt::format("what the API server would say of {}: {}; it is worked out here instead", which, why)
        );
    }
    return out;
}

asio::awaitable<kube::api_result<kube::object_ptr>>
dry_run::apply(kube::resource kind, json::object wanted, std::string manager, bool force)
{
    kube::apply_options how;
    how.field_manager = std::move(manager);
    how.force = force;
    how.dry_run = true;
    return server_.apply(kind, std::move(wanted), std::move(how));
}

}  // namespace portitor::cli::once

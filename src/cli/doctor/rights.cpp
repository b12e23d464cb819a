#include "cli/doctor/looking.hpp"
#include "cli/doctor/needed_rights.hpp"
#include "cli/doctor/release_parts.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr const char* self_reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
constexpr const char* reviews = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
constexpr std::array roles{"controller", "verifier", "registrar"};

json::object attributes(const right& of, const patient& about)
{
    const auto slash = of.resource.find('/');
    json::object out{
        {"verb", of.verb},
        {"group", of.group},
        {"resource", of.resource.substr(0, slash)},
    };
    if (slash != of.resource.npos)
        out["subresource"] = of.resource.substr(slash + 1);
    if (of.where != reach::everywhere)
        out["namespace"] = of.where == reach::release ? about.release : about.settings.gateway.gateway.ns;
    if (!of.name.empty())
        out["name"] = of.name;
    return out;
}

/// `account` is a ServiceAccount of the release; empty: whoever asks.
std::string review(const right& of, const patient& about, const std::string& account)
{
    json::object spec{{"resourceAttributes", attributes(of, about)}};
    if (!account.empty())
    {
        spec["user"] = fmt::format("system:serviceaccount:{}:{}", about.release, account);
        spec["groups"] = json::array{
            "system:serviceaccounts", "system:serviceaccounts:" + about.release, "system:authenticated"};
    }
    const char* kind = account.empty() ? "SelfSubjectAccessReview" : "SubjectAccessReview";
    return json::serialize(json::object{
        {"apiVersion", "authorization.k8s.io/v1"}, {"kind", kind}, {"spec", std::move(spec)}});
}

/// What of somebody's rights is missing.
asio::awaitable<result<std::vector<std::string>>>
missing(const patient& of, std::string_view who, std::string account)
{
    std::vector<std::string> out;
    for (const right& each : needed_rights())
    {
        if (each.who != who || (each.when == needed::by_labels && !of.settings.gateway.hosts.needs_labels()))
            continue;
        const char* where = account.empty() ? self_reviews : reviews;
        const auto said = co_await ask(of.server, http::verb::post, where, review(each, of, account));
        if (!said)
            co_return said.error();
        if (!kube::bool_at(*said, "status.allowed"))
            out.push_back(each.to_string());
    }
    co_return out;
}

asio::awaitable<void> look_at_role(const patient& of, std::string role, std::string account, notebook& into)
{
    const std::string check = fmt::format("{} ({}/{})", role, of.release, account);
    const auto lacks = co_await missing(of, role, account);
    if (!lacks && lacks.error().code() == errc::refused)
        into.not_checked(check, "the right to create subjectaccessreviews is missing");
    else if (!lacks)
        into.not_checked(check, lacks.error().message());
    else if (!lacks->empty())
        into.failure(
            check,
            fmt::format("it may not {}", some_of(*lacks, 8)),
            "helm upgrade with rbac.create=true, or grant it yourself (portitor doctor --rights)"
        );
    else
        into.ok(check, "it has every right that it needs");
}

/// A line for so many that none is cut off.
void tell_own(const std::vector<std::string>& lacks, notebook& into)
{
    constexpr std::size_t in_a_line = 12;
    for (auto at = lacks.begin(); at != lacks.end();)
    {
        const auto end = at + std::min<std::ptrdiff_t>(in_a_line, lacks.end() - at);
        into.info(
            "doctor", fmt::format("what takes other rights is not checked: {}", fmt::join(at, end, ", "))
        );
        at = end;
    }
}

}  // namespace

asio::awaitable<void> examine_rights(const patient& of, notebook& into)
{
    const auto own = co_await missing(of, "doctor", "");
    if (!own)
        into.not_checked("doctor", own.error().message());
    else if (own->empty())
        into.ok("doctor", "it may look at everything");
    else
        tell_own(*own, into);
    const auto accounts = co_await accounts_of_release(of);
    for (const char* role : roles)
    {
        const auto at = accounts.find(role);
        const std::string usual = fmt::format("portitor-{}", role);
        co_await look_at_role(of, role, at == accounts.end() ? usual : at->second, into);
    }
}

}  // namespace portitor::cli::doctor

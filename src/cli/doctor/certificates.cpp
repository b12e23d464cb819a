#include "cli/doctor/looking.hpp"
#include "cli/doctor/release_parts.hpp"
#include "cli/doctor/side_by_side.hpp"
#include "cli/doctor/tls_probe.hpp"
#include "cli/output/text.hpp"

#include <portitor/core/saturating_time.hpp>
#include <portitor/x402/base64.hpp>

#include <boost/json/array.hpp>

#include <cstdlib>
#include <optional>
#include <set>

namespace portitor::cli::doctor {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr kube::resource secrets{"", "v1", "secrets", "Secret"};
constexpr std::chrono::hours soon(14 * 24);
constexpr std::size_t most_servers = 20;

/// Whose certificate is looked at, and why it matters.
struct subject
{
    std::string check;
    http::origin server;
    bool has_own_ca = false;  ///< the system's CAs need not know it
};

std::chrono::seconds to_seconds(clock::time_point::duration span)
{
    return std::chrono::duration_cast<std::chrono::seconds>(span);
}

void judge_expiry(
    const std::string& check, const certificate_facts& facts, clock::time_point now, notebook& into
)
{
    if (facts.begins > now)
        return into.failure(
            check,
            fmt::format(
                "it is valid only in {}", age_in_words(to_seconds(saturating_between(now, facts.begins)))
            ),
            "is a clock wrong: that of this machine, or that of whoever issued it?"
        );
    const auto left = to_seconds(saturating_between(now, facts.expires));
    if (left.count() <= 0)
        return into.failure(
            check, fmt::format("expired {} ago", age_in_words(-left)), "renew it: who checks it goes away"
        );
    const std::string words = fmt::format("expires in {}", age_in_words(left));
    if (left < soon)
        return into.warn(check, words, "renew it: is whatever renews it running?");
    into.ok(check, words);
}

void judge(const patient& of, const subject& who, const certificate_facts& facts, notebook& into)
{
    judge_expiry(who.check, facts, of.around.clock.now(), into);
    if (!facts.is_for_host)
        into.failure(
            who.check,
            fmt::format("it is not for {}", who.server.host),
            "issue one with that name: Traefik shows its own default where it has none for a host"
        );
    if (!who.has_own_ca && !facts.distrust.empty())
        into.failure(
            who.check,
            fmt::format("the CAs of this system do not vouch for it: {}", facts.distrust),
            "install one that buyers trust, with all that is between it and its root"
        );
}

asio::awaitable<void> look_at_server(const patient& of, subject who, notebook& into)
{
    const auto facts = co_await look_at_certificate(who.server, of.limit);
    if (facts)
        judge(of, who, *facts, into);
    else
        into.not_checked(who.check, facts.error().message());
}

std::optional<http::origin> https_origin(const std::string& url)
{
    const auto read = http::parse_url(url);
    if (!read || read->origin.scheme != "https")
        return std::nullopt;
    return read->origin;
}

/// The API server, as a pod of the cluster sees it.
std::optional<http::origin> api_server_of_pod()
{
    const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
    const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
    if (!host || !port)
        return std::nullopt;
    const std::string name = host;
    const bool is_v6 = name.find(':') != std::string::npos;
    return https_origin(
        is_v6 ? fmt::format("https://[{}]:{}", name, port) : fmt::format("https://{}:{}", name, port)
    );
}

std::vector<subject> subjects_of(const patient& of)
{
    std::vector<subject> out;
    std::set<http::origin> seen;
    const auto add = [&](const std::string& what, const std::optional<http::origin>& server, bool own_ca) {
        if (server && out.size() < most_servers && seen.insert(*server).second)
            out.push_back({fmt::format("{} {}", what, server->to_string()), *server, own_ca});
    };
    add("API server", api_server_of_pod(), true);
    add("public URL", https_origin(of.settings.gateway.public_url), false);
    add("verifier", https_origin(of.settings.gateway.verifier_url), true);
    for (const config::facilitator& each : of.settings.lists.facilitators.entries)
        add("facilitator", https_origin(each.url), false);
    return out;
}

/// The Secret with the verifier's certificate, where its Deployment can be read and names one.
asio::awaitable<std::string> find_verifier_secret(const patient& of)
{
    const auto found = co_await deployments_of_release(of);
    if (!found)
        co_return std::string();
    for (const kube::object_ptr& each : *found)
    {
        if (role_of(*each) != "verifier")
            continue;
        for (const json::value& volume : kube::array_at(each->spec(), "template.spec.volumes"))
        {
            if (kube::string_at(kube::as_object(volume), "name") == "tls")
                co_return kube::string_at(kube::as_object(volume), "secret.secretName");
        }
    }
    co_return std::string();
}

asio::awaitable<void> look_at_verifier_secret(const patient& of, notebook& into)
{
    const auto server = https_origin(of.settings.gateway.verifier_url);
    if (!server)
        co_return;
    const std::string name = co_await find_verifier_secret(of);
    if (name.empty())
        co_return;
    const std::string check = fmt::format("Secret {}/{}", of.release, name);
    const auto found = co_await of.server.get(secrets, {of.release, name});
    if (!found)
    {
        if (found.error().is_not_found())
            into.failure(
                check, "it is not there: no new verifier starts", "create it, of type kubernetes.io/tls"
            );
        else
            into.unseen(check, found.error(), "get secrets in " + of.release);
        co_return;
    }
    const json::value* text = kube::object_at((*found)->raw, "data").if_contains("tls.crt");
    const auto pem = text && text->is_string() ? x402::decode_base64(std::string(text->get_string()))
                                               : fail(errc::invalid, "it has no tls.crt");
    const auto facts = pem ? read_certificate(*pem, server->host) : result<certificate_facts>(pem.error());
    if (facts)
        judge(of, {check, *server, true}, *facts, into);
    else
        into.failure(check, facts.error().message(), "write a certificate in PEM to tls.crt");
}

}  // namespace

asio::awaitable<void> examine_certificates(const patient& of, notebook& into)
{
    const std::vector<subject> all = subjects_of(of);
    std::vector<part> parts;
    for (const subject& each : all)
        parts.emplace_back([&of, each](notebook& book) { return look_at_server(of, each, book); });
    co_await side_by_side(into, std::move(parts));
    co_await look_at_verifier_secret(of, into);
    if (all.empty())
        into.info("https", "nothing that the settings name is asked over https");
}

}  // namespace portitor::cli::doctor

#include "cli/doctor/looking.hpp"
#include "cli/doctor/side_by_side.hpp"
#include "cli/doctor/web.hpp"

#include <portitor/api/payment_route.hpp>
#include <portitor/x402/supported.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

constexpr long long slow = 2'000;  // ms

/// By network, the offers that are paid there, with one facilitator.
using networks_used = std::map<std::string, std::vector<std::string>>;

/// By the facilitator's URL.
std::map<std::string, networks_used> find_used(const patient& of)
{
    std::map<std::string, networks_used> out;
    if (!of.market)
        return out;
    for (const auto& [key, live] : of.market->of(offer::child_kind::payment_route).objects().all())
    {
        const auto route = api::parse_payment_route(*live);
        if (route)
            out[route->facilitator_url][route->network].push_back(
                kube::object_key{key.ns, route->offer}.to_string()
            );
    }
    return out;
}

void judge_networks(
    const std::string& check, const x402::served_networks& served, const networks_used& used, notebook& into
)
{
    for (const auto& [network, offers] : used)
    {
        if (!served.has(network))
            into.failure(
                check,
                fmt::format("it does not serve {}, in which offers are paid: {}", network, some_of(offers)),
                "name a facilitator that does, in payment.facilitator of these offers or as the default: "
                "no buyer can pay"
            );
    }
}

void judge_supported(
    const patient& of,
    const std::string& check,
    const web_answer& said,
    const networks_used& used,
    notebook& into
)
{
    const auto served = x402::read_supported(said.body, of.settings.lists.networks.table);
    if (!served)
        return into.warn(
            check,
            "/supported: " + served.error().message(),
            "is it the address of a facilitator? Its base URL is that of /verify, without it"
        );
    const std::vector<std::string> listed(served->names().begin(), served->names().end());
    into.ok(
        check,
        fmt::format("serves {}, {}", listed.empty() ? "nothing" : some_of(listed, 6), took(said.milliseconds))
    );
    if (said.milliseconds > slow)
        into.warn(
            check,
            fmt::format("/supported {}", took(said.milliseconds)),
            "buyers wait as long for each payment, twice"
        );
    judge_networks(check, *served, used, into);
}

void judge_answer(
    const patient& of,
    const std::string& check,
    const web_answer& said,
    const networks_used& used,
    notebook& into
)
{
    const std::string status = fmt::format("HTTP {}", said.status);
    if (said.status == 200)
        return judge_supported(of, check, said, used, into);
    if (said.status >= 300 && said.status <= 399)
        return into.failure(
            check,
            fmt::format("{}: it redirects to {}", status, said.location.empty() ? "nowhere" : said.location),
            "payments are not sent to where somebody else points: set the URL to the one that answers itself"
        );
    if (said.status == 401)
        return into.failure(
            check,
            status + ": it wants credentials",
            "Portitor sends none: put a proxy before it that adds them, or name another facilitator"
        );
    if (said.status == 403)
        return into.failure(
            check, status + ": it refuses to serve this address or account", "ask whoever runs it"
        );
    if (said.status == 404 || said.status == 405 || said.status == 501)
        return into.info(
            check,
            fmt::format("{}: it has no /supported, so which networks it serves is not known", status),
            "buy something once: portitor pay"
        );
    if (said.status == 429)
        return into.warn(check, status + ": it is asked too often", "payments are refused meanwhile");
    into.failure(check, fmt::format("{} to /supported", status), "ask whoever runs it");
}

void tell_unreached(
    const std::string& check, const std::string& host, const error& why, bool needed, notebook& into
)
{
    if (!service_of(host).name.empty() && why.code() == errc::unavailable)
        return into.not_checked(
            check, fmt::format("{} is not reached from here", host), "run doctor in the cluster: helm test"
        );
    into.add(
        check,
        needed ? verdict::failure : verdict::warning,
        why.message(),
        needed ? "no payment can be verified or settled while it is away" : "no offer uses it now"
    );
}

asio::awaitable<void>
look_at(const patient& of, config::facilitator which, networks_used used, notebook& into)
{
    const std::string check = fmt::format("{} ({})", which.name, shown(which.url));
    const bool needed = !used.empty() || which.name == of.settings.lists.facilitators.default_name;
    const auto said = co_await get(of, which.url + "/supported", "", x402::max_supported_answer);
    if (said)
    {
        judge_answer(of, check, *said, used, into);
        co_return;
    }
    const auto where = http::parse_url(which.url);
    tell_unreached(check, where ? where->origin.host : "", said.error(), needed, into);
}

/// Facilitators that offers are sold with, but that are not on the list.
void tell_unlisted(const patient& of, const std::map<std::string, networks_used>& used, notebook& into)
{
    const auto& entries = of.settings.lists.facilitators.entries;
    for (const auto& [url, networks] : used)
    {
        const bool is_listed =
            std::any_of(entries.begin(), entries.end(), [&](const auto& each) { return each.url == url; });
        if (!is_listed && of.settings_known)
            into.failure(
                shown(url),
                fmt::format(
                    "it is not on the operator's list, and {} is sold with it",
                    some_of(networks.begin()->second)
                ),
                "the controller runs with other settings than these: restart it"
            );
    }
}

}  // namespace

asio::awaitable<void> examine_facilitators(const patient& of, notebook& into)
{
    const auto used = find_used(of);
    if (!of.market)
        into.not_checked("networks of offers", of.no_market);
    else if (!of.market->of(offer::child_kind::payment_route).synced())
        into.not_checked("networks of offers", "the right to list paymentroutes is missing");
    std::vector<part> parts;
    for (const config::facilitator& each : of.settings.lists.facilitators.entries)
    {
        const auto at = used.find(each.url);
        const networks_used networks = at == used.end() ? networks_used() : at->second;
        parts.emplace_back([&of, each, networks](notebook& book) { return look_at(of, each, networks, book); }
        );
    }
    co_await side_by_side(into, std::move(parts));
    tell_unlisted(of, used, into);
}

}  // namespace portitor::cli::doctor

#include "cli/doctor/looking.hpp"
#include "cli/doctor/web.hpp"
#include "offer/gate_trial.hpp"
#include "offer/naming.hpp"
#include "offer/paid_path.hpp"

#include <portitor/api/conditions.hpp>
#include <portitor/config/hosts.hpp>

#include <algorithm>
#include <optional>

namespace portitor::cli::doctor {

namespace asio = boost::asio;

namespace {

// So many offers stand for all: the controller proves each one.
constexpr std::size_t most_offers = 5;

/// An offer whose gate is tried.
struct sample
{
    kube::object_key offer;
    std::string path;        ///< that costs something
    std::string host;        ///< that buyers ask
    std::string public_url;  ///< of that path; empty: nobody named one
};

// Also where the controller has seen that another route takes its requests.
bool is_published(const offer::offer_record& offer)
{
    namespace type = api::condition_type;
    const auto* ready = offer.status.find_present(type::ready, offer.meta.generation);
    return ready && (ready->is_true() || ready->reason == api::because::foreign_route.name);
}

std::optional<sample> make_sample(const patient& of, const offer::record_ptr& record)
{
    if (!is_published(*record) || !record->spec || record->meta.deleted)
        return std::nullopt;
    const offer::child_type& type = offer::type_of(offer::child_kind::payment_route);
    const auto live = of.market->of(type.kind).objects().find(type.key_for(record->meta));
    const auto route = live ? api::parse_payment_route(*live) : fail(errc::not_found, "no PaymentRoute");
    if (!route)
        return std::nullopt;
    const auto paid = offer::paid_path(*route);
    if (!paid)
        return std::nullopt;
    const std::string path = offer::filled_path(*paid, offer::unguessable_word());
    sample out{record->meta.key(), path, offer::host_of(*record->spec, of.settings), {}};
    // Other hosts are what sellers wrote: nobody is sent there by them.
    const auto endpoint = http::parse_url(offer::endpoint_of(*record->spec, of.settings));
    const auto front = http::parse_url(of.settings.gateway.public_url);
    if (endpoint && front && endpoint->origin == front->origin)
        out.public_url = endpoint->origin.to_string() + path;
    return out;
}

std::vector<sample> samples_of(const patient& of)
{
    std::vector<sample> out;
    for (const auto& [key, record] : of.market->offers())
    {
        if (out.size() == most_offers)
            break;
        if (auto made = make_sample(of, record))
            out.push_back(std::move(*made));
    }
    return out;
}

/// A rule of another HTTPRoute that the gateway may prefer to the offer's for what was asked; empty where
/// there is none.
std::string
other_rule(const patient& of, const sample& about, const std::string& url, const std::string& host)
{
    const auto where = http::parse_url(url);
    if (!where)
        return {};
    return of.market->preferred_rule(
        about.offer,
        config::host_name(host.empty() ? where->origin.host : host),
        std::string_view(where->target).substr(0, where->target.find('?')),
        of.around.timers.now()
    );
}

void judge_redirect(
    const std::string& check, const web_answer& said, const std::string& other, notebook& into
)
{
    const bool to_https = said.location.starts_with("https://");
    into.warn(
        check,
        fmt::format("HTTP {} to {}", said.status, said.location.empty() ? "nowhere" : said.location),
        !other.empty() ? "it may be " + other + " that redirects: buyers' programs do not follow"
        : to_https ? "it redirects to https, and payments are not sent twice: set publicURL to that https "
                     "address, and gateway.url to an entry point that does not redirect"
                   : "something before the gate redirects: buyers' programs do not follow"
    );
}

void judge(
    const std::string& check,
    const sample& of,
    const web_answer& said,
    const std::string& other,
    notebook& into
)
{
    const std::string route = of.offer.to_string();
    if (said.status >= 200 && said.status <= 299)
        return into.failure(
            check,
            other.empty()
                ? fmt::format("HTTP {}: it was served without payment", said.status)
                : fmt::format(
                      "HTTP {} without payment: {} asks for at least as much as the offer's route, and "
                      "answers in its place (ForeignRoute)",
                      said.status,
                      other
                  ),
            other.empty() ? "another route answers there, or the gateway ignores the Middleware: see the "
                            "area bypasses, and Traefik's provider kubernetesCRD"
                          : "delete that rule, or lead it to another path or host"
        );
    if (said.status >= 300 && said.status <= 399)
        return judge_redirect(check, said, other, into);
    const bool refused = said.status == 402 || said.status == 403;
    if (refused && said.route == route)
        return into.ok(
            check, fmt::format("HTTP {}, by the gate itself, {}", said.status, took(said.milliseconds))
        );
    if (said.route == route)
        return into.warn(
            check,
            fmt::format("HTTP {}: the gate answers, but takes no payment now", said.status),
            fmt::format("portitor sell status, and the conditions of {}", route)
        );
    into.failure(
        check,
        said.route.empty() ? fmt::format("HTTP {}, which the gate did not say", said.status)
                           : fmt::format("HTTP {} by the gate of {}", said.status, said.route),
        !other.empty() ? "it may be " + other + " that answers: delete that rule, or lead it elsewhere"
        : said.status >= 500
            ? "the gateway cannot ask the verifier, or has no such Middleware: see the areas "
              "gateway and traefik"
            : "something else answers for this host and path"
    );
}

void tell_unreached(const std::string& check, const std::string& url, const error& why, notebook& into)
{
    const auto where = http::parse_url(url);
    // A Service's name is known in the cluster only.
    if (where && !service_of(where->origin.host).name.empty() && why.code() == errc::unavailable)
        return into.not_checked(
            check,
            fmt::format("{} is not reached from here", where->origin.to_string()),
            "run doctor in the cluster: helm test"
        );
    into.failure(check, why.message(), "buyers come this way: is the gateway up, and its address right?");
}

asio::awaitable<void>
try_one(const patient& of, sample about, std::string check, std::string url, std::string host, notebook& into)
{
    const auto said = co_await get(of, url, host, 0);
    if (!said)
        tell_unreached(check, url, said.error(), into);
    else
        judge(check, about, *said, other_rule(of, about, url, host), into);
}

}  // namespace

asio::awaitable<void> examine_gate(const patient& of, notebook& into)
{
    if (!of.market)
    {
        into.not_checked("unpaid requests", of.no_market);
        co_return;
    }
    const std::string inside = of.settings.gateway.gateway_url;
    if (inside.empty())
        into.info(
            "gateway-url",
            "it is not set: the controller proves no gate",
            "set gateway.url of the chart to the gateway from inside of the cluster"
        );
    const std::vector<sample> samples = samples_of(of);
    if (samples.empty())
        into.not_checked("unpaid requests", "no offer is published and costs something");
    for (const sample& each : samples)
    {
        const std::string check = each.offer.to_string();
        if (!inside.empty())
            co_await try_one(of, each, check + " by gateway-url", inside + each.path, each.host, into);
        if (!each.public_url.empty())
            co_await try_one(of, each, check + " by public URL", each.public_url, "", into);
    }
}

}  // namespace portitor::cli::doctor

#include "cli/explain/explainer.hpp"

#include "cli/explain/remarks.hpp"
#include "offer/naming.hpp"

namespace portitor::cli::explain {

namespace asio = boost::asio;

namespace {

void answer(explanation& into, const char* outcome, unsigned status, std::string words)
{
    into.outcome = outcome;
    into.status = status;
    into.words = std::move(words);
}

std::string name_of(const candidate& which)
{
    return fmt::format("HTTPRoute {}", which.route.to_string());
}

// A gate that lets a request pass is not the end of it.
void end_behind_gate(explanation& into, unsigned status, const std::string& what)
{
    if (into.outcome == "free")
    {
        into.status = status;
        into.words = "this path is free, and " + what;
    }
    else if (into.outcome == "payment_required")
        into.remarks.push_back("for a request that has paid " + what);
}

}  // namespace

explainer::explainer(const seen& around, const operator_settings& settings, kube::api& server)
    : seen_(around), settings_(settings),
      is_traefik_(settings.plan().gateway.controller == traefik_controller),
      gate_{settings.known() ? settings.plan().gateway.verifier_url : std::string()},
      verifier_(around.payment_routes, settings), backends_(server, around.grants, is_traefik_)
{}

std::vector<std::string> explainer::left_out() const
{
    std::vector<std::string> out = seen_.unreadable;
    out.insert(out.end(), verifier_.refused().begin(), verifier_.refused().end());
    return out;
}

asio::awaitable<explanation> explainer::explain(request_target request)
{
    explanation out;
    out.request = std::move(request);
    complete_request(out);
    if (!read_path(out))
        co_return out;
    co_await follow_gateway(out);
    add_remarks(out, {seen_, settings_, verifier_});
    co_return out;
}

void explainer::complete_request(explanation& into) const
{
    request_target& request = into.request;
    const auto known = http::parse_url(settings_.plan().gateway.public_url);
    if (request.host.empty())
    {
        request.host = offer::public_host(settings_.plan());
        if (!request.host.empty())
            into.remarks.emplace_back(
                known ? "the host is that of the operator's public URL" : "the host is the first public one"
            );
    }
    if (request.host.empty())
        into.remarks.emplace_back("no host was named: only routes without host names are looked at");
    if (request.scheme.empty() && known && request.host == known->origin.authority())
        request.scheme = known->origin.scheme;
    if (request.scheme.empty())
    {
        request.scheme = "http";
        into.remarks.emplace_back("neither http nor https was written: it is taken for http");
    }
}

// False where the gateway refuses the path itself.
bool explainer::read_path(explanation& into) const
{
    std::string& path = into.request.path;
    auto forwarded = as_gateway_forwards(path);
    if (!forwarded)
    {
        answer(into, "gateway", 400, forwarded.error().message());
        return false;
    }
    const auto escaped = as_gateway_forwards(as_careful_clients_send(path));
    if (escaped && *escaped != *forwarded)
        into.remarks.push_back(
            fmt::format("a client that escapes what a URL may not hold is read otherwise: {}", *escaped)
        );
    if (*forwarded != path)
        into.remarks.push_back(fmt::format("the gateway reads the path as {}", *forwarded));
    path = std::move(*forwarded);
    return true;
}

asio::awaitable<void> explainer::follow_gateway(explanation& into)
{
    const arrival where = find_arrival(seen_.gateway, into.request, settings_.plan());
    into.gateway_scheme = where.scheme;
    into.remarks.insert(into.remarks.end(), where.remarks.begin(), where.remarks.end());
    into.candidates = find_candidates(seen_.http_routes, into.request, where, settings_.plan());
    std::optional<passage> followed;
    for (std::size_t i = 0; i < into.candidates.size(); ++i)
    {
        candidate& each = into.candidates[i];
        passage way = follow_rule(*each.of, each.rule_in_route(), seen_.middlewares, gate_, is_traefik_);
        if (each.not_served.empty())
            each.not_served = way.not_served;
        if (!each.applies() || into.taken)
            continue;
        into.taken = i;
        followed = std::move(way);
    }
    if (followed)
        co_await follow(into, std::move(*followed));
    else if (where.at.empty())
        answer(into, "unknown", 0, fmt::format("no listener of the Gateway takes {}", where.scheme));
    else
        say_not_taken(into);
}

void explainer::say_not_taken(explanation& into) const
{
    if (seen_.http_routes.covers_all())
        return answer(
            into, "gateway", 404, "no HTTPRoute of the Gateway takes it: the gateway itself answers 404"
        );
    answer(
        into,
        "unknown",
        0,
        fmt::format("no HTTPRoute that was seen takes it; one {} may", seen_.http_routes.gap())
    );
}

asio::awaitable<void> explainer::follow(explanation& into, passage way)
{
    const std::string route = name_of(into.candidates[*into.taken]);
    into.remarks.insert(into.remarks.end(), way.assumptions.begin(), way.assumptions.end());
    if (!way.broken.empty())
    {
        answer(into, "gateway", 500, fmt::format("{}: {}, and it answers 500", route, way.broken));
        co_return;
    }
    if (!way.others.empty())
        into.remarks.push_back(fmt::format(
            "it goes through {} {}, and what that does is not looked at: it may answer otherwise",
            fmt::join(way.others, ", "),
            way.asks_gate ? "before the gate" : "on its way"
        ));
    if (!way.preflights.empty() && into.request.method == "OPTIONS")
        into.remarks.push_back(fmt::format(
            "a preflight of a page is answered by the gateway itself ({}), and goes no further",
            way.preflights
        ));
    if (!way.unknown.empty() && !way.asks_gate && !way.redirect_first)
        answer(into, "unknown", 0, fmt::format("{}: {}", route, way.unknown));
    else if (way.redirect != 0 && way.redirect_first)
        answer(
            into,
            "gateway",
            way.redirect,
            fmt::format("{} redirects it to {}, and asks nobody", route, way.redirects_to)
        );
    else if (way.asks_gate)
        co_await ask_gate(into, std::move(way));
    else
        co_await pass_on_unasked(into, std::move(way));
}

asio::awaitable<void> explainer::pass_on_unasked(explanation& into, passage way)
{
    const candidate& taken = into.candidates[*into.taken];
    const backends_word behind = co_await look_behind(into);
    if (behind.status != 0)
    {
        answer(
            into,
            "gateway",
            behind.status,
            fmt::format("{} asks no gate and leads nowhere: {}", name_of(taken), behind.words)
        );
        co_return;
    }
    into.unpaid = true;
    answer(
        into,
        "gateway",
        0,
        fmt::format(
            "{} passes it on to {} without asking the gate", name_of(taken), fmt::join(taken.backends, ", ")
        )
    );
    if (!behind.words.empty())
        into.remarks.push_back(behind.words);
}

asio::awaitable<void> explainer::ask_gate(explanation& into, passage way)
{
    into.bound = way.bound;
    into.has_token = way.has_token;
    if (way.is_rewritten)
    {
        into.offer = way.offer;
        answer(
            into,
            "unknown",
            0,
            "a URLRewrite comes before the gate, which judges the path that it makes: that is not worked out"
        );
        co_return;
    }
    verifier_.judge(into, way.offer);
    if (into.outcome != "free" && into.outcome != "payment_required")
        co_return;
    if (way.redirect != 0)
    {
        end_behind_gate(into, way.redirect, fmt::format("the gateway redirects it to {}", way.redirects_to));
        co_return;
    }
    const backends_word behind = co_await look_behind(into);
    if (behind.status != 0)
        end_behind_gate(
            into, behind.status, fmt::format("the gateway answers {}: {}", behind.status, behind.words)
        );
    else if (!behind.words.empty())
        into.remarks.push_back(behind.words);
}

asio::awaitable<backends_word> explainer::look_behind(const explanation& what)
{
    const candidate& taken = what.candidates[*what.taken];
    co_return co_await backends_.look_behind(taken.route.ns, taken.rule_in_route());
}

}  // namespace portitor::cli::explain

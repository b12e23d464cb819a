#include "cli/explain/rule_steps.hpp"

#include "cli/output/masked.hpp"

#include <portitor/api/names.hpp>
#include <portitor/api/ownership.hpp>
#include <portitor/api/resources.hpp>
#include <portitor/http/message.hpp>

#include <boost/json/array.hpp>

#include <algorithm>

namespace portitor::cli::explain {

namespace json = boost::json;

namespace {

// A chain of Middlewares may name itself.
constexpr int deepest_chain = 8;
constexpr std::size_t longest_chain = 64;

/// The question that an address of ForwardAuth asks of the operator's verifier; nothing where it asks
/// somebody else.
std::optional<route::gate_target> question_in(const http::url& address, const gate_address& gate)
{
    std::string_view target = address.target;
    if (!gate.verifier_url.empty())
    {
        const auto verifier = http::parse_url(gate.verifier_url);
        if (!verifier || verifier->origin != address.origin)
            return std::nullopt;
        std::string_view base = verifier->target;
        while (base.ends_with('/'))
            base.remove_suffix(1);
        if (!target.starts_with(base))
            return std::nullopt;
        target.remove_prefix(base.size());
    }
    return route::read_gate_target(target);
}

class walk
{
public:
    walk(const kube::object& route, const seen_kind& middlewares, const gate_address& gate, bool is_traefik)
        : route_(route), middlewares_(middlewares), gate_(gate), is_traefik_(is_traefik)
    {}

    passage follow(const json::object& rule)
    {
        for (const json::value& each : kube::array_at(rule, "filters"))
            pass(kube::as_object(each));
        return std::move(out_);
    }

private:
    void pass(const json::object& filter)
    {
        const std::string type = kube::string_at(filter, "type");
        if (type == "RequestRedirect")
            redirect(kube::object_at(filter, "requestRedirect"));
        else if (type == "ExtensionRef")
            extend(kube::object_at(filter, "extensionRef"));
        else if (type == "URLRewrite")
            rewrite(kube::object_at(filter, "urlRewrite"));
        else if (type != "RequestHeaderModifier" && type != "ResponseHeaderModifier")
            refuse_filter(type);
    }

    void refuse_filter(const std::string& what)
    {
        if (is_traefik_ && out_.broken.empty())
            out_.broken = fmt::format("the gateway does not support its filter {}", what);
    }

    void extend(const json::object& what)
    {
        const std::string group = kube::string_at(what, "group");
        const std::string kind = kube::string_at(what, "kind");
        const std::string name = kube::string_at(what, "name");
        if (group == api::middleware_resource.group && kind == api::middleware_resource.kind)
            return go_through({route_.meta.ns, name}, 0);
        if (is_traefik_)
            return refuse_filter(fmt::format("ExtensionRef to {} {}", kind, name));
        note_other(fmt::format("{} {}", kind, name));
    }

    void rewrite(const json::object& what)
    {
        if (!what.contains("path") && !what.contains("hostname"))
            return refuse_filter("URLRewrite, which rewrites nothing");
        out_.is_rewritten = out_.is_rewritten || !out_.asks_gate;
    }

    void redirect(const json::object& how)
    {
        const auto status = static_cast<unsigned>(kube::int_at(how, "statusCode", 302));
        if (is_traefik_ && status != 301 && status != 302)
            leave_out(fmt::format("the gateway does not do its redirect with {}", status));
        if (out_.redirect != 0)
            return;
        out_.redirect = status;
        out_.redirect_first = !out_.asks_gate;
        std::vector<std::string> to;
        for (const char* part : {"scheme", "hostname"})
        {
            if (const std::string value = kube::string_at(how, part); !value.empty())
                to.push_back(fmt::format("{} {}", part, value));
        }
        if (const std::int64_t port = kube::int_at(how, "port"); port != 0)
            to.push_back(fmt::format("port {}", port));
        for (const char* part : {"path.replaceFullPath", "path.replacePrefixMatch"})
        {
            if (const auto* value = kube::find_path(how, part); value && value->is_string())
                to.push_back(fmt::format("path {}", std::string_view(value->get_string())));
        }
        out_.redirects_to = to.empty() ? "the same place" : fmt::format("{}", fmt::join(to, ", "));
    }

    void leave_out(std::string why)
    {
        if (out_.not_served.empty())
            out_.not_served = std::move(why);
    }

    void note_other(std::string what)
    {
        // What comes after the gate or a redirect gives no free way.
        if (!out_.asks_gate && out_.redirect == 0)
            out_.others.push_back(std::move(what));
    }

    void go_through(const kube::object_key& key, int depth)
    {
        if (++walked_ > longest_chain || depth > deepest_chain)
            return leave_out(fmt::format("its Middleware {} is a chain without an end", key.to_string()));
        const kube::object_ptr found = middlewares_.find(key);
        if (!found)
            return miss(key);
        if (!found->unreadable.empty())
            return stay_unknown(fmt::format("its Middleware {} could not be read", key.to_string()));
        const json::array& chain = kube::array_at(found->spec(), "chain.middlewares");
        if (chain.empty())
            return ask(*found);
        for (const json::value& each : chain)
        {
            const json::object& next = kube::as_object(each);
            const std::string ns = kube::string_or(next, "namespace", key.ns);
            const std::string name = kube::string_at(next, "name");
            if (ns != key.ns || name.find('@') != std::string::npos)
                stay_unknown(fmt::format(
                    "its Middleware {} leads to {}/{}, and whether the gateway allows that is not known",
                    key.to_string(),
                    ns,
                    name
                ));
            else
                go_through({ns, name}, depth + 1);
        }
    }

    void ask(const kube::object& middleware)
    {
        const std::string name = middleware.meta.key().to_string();
        const std::string address = kube::string_at(middleware.spec(), "forwardAuth.address");
        const auto url = http::parse_url(address);
        const auto asked = url ? question_in(*url, gate_) : std::nullopt;
        if (!asked)
        {
            if (url && !gate_.verifier_url.empty() && route::read_gate_target(url->target))
                out_.assumptions.push_back(fmt::format(
                    "Middleware {} asks {}, which is not the operator's verifier ({}): it counts as no gate",
                    name,
                    masked_url(address),
                    masked_url(gate_.verifier_url)
                ));
            return note_if_unknown(middleware);
        }
        if (gate_.verifier_url.empty() && !out_.asks_gate)
            out_.assumptions.push_back(fmt::format(
                "Middleware {} asks {}, which is taken for the operator's verifier", name, masked_url(address)
            ));
        pass_gate(asked->bound, std::string(asked->offer), !asked->token.empty());
    }

    // One that sets headers lets everything pass but preflights, where it is to answer those.
    void note_if_unknown(const kube::object& middleware)
    {
        const json::object& spec = middleware.spec();
        const std::string name = fmt::format("Middleware {}", middleware.meta.key().to_string());
        // A limit refuses or lets go on, and answers nothing else.
        if (spec.size() == 1 && (spec.contains("inFlightReq") || spec.contains("rateLimit")))
            return;
        if (spec.size() != 1 || !spec.contains("headers"))
            return note_other(name);
        const json::object& headers = kube::object_at(spec, "headers");
        const bool answers = std::any_of(headers.begin(), headers.end(), [](const auto& each) {
            return std::string_view(each.key()).starts_with("accessControl");
        });
        if (answers && !out_.asks_gate && out_.preflights.empty())
            out_.preflights = name;
    }

    void pass_gate(bool bound, std::string offer, bool has_token)
    {
        if (out_.asks_gate)
            return;
        out_.asks_gate = true;
        out_.bound = bound;
        out_.offer = std::move(offer);
        out_.has_token = has_token;
    }

    void miss(const kube::object_key& key)
    {
        if (middlewares_.covers(key.ns))
            return leave_out(fmt::format("its Middleware {} is missing", key.name));
        const kube::owner_reference* owner = api::owning_offer(route_.meta);
        const bool is_ours = owner && route_.meta.name == api::http_route_name(owner->name);
        const bool is_cors = is_ours && key.name == api::cors_middleware_name(owner->name);
        const bool is_limit = is_ours && (key.name == api::in_flight_middleware_name(owner->name) ||
                                          key.name == api::rate_middleware_name(owner->name));
        if (!is_cors && !is_limit && (!is_ours || key.name != api::middleware_name(owner->name)))
            return stay_unknown(fmt::format("its Middleware {} cannot be seen", key.to_string()));
        out_.assumptions.push_back(
            fmt::format("Middleware {} cannot be seen, and is taken as Portitor writes it", key.to_string())
        );
        if (is_limit)
            return;
        if (is_cors)
        {
            out_.preflights = fmt::format("Middleware {}", key.to_string());
            return;
        }
        pass_gate(true, route_.meta.ns + "/" + owner->name, true);
    }

    void stay_unknown(std::string why)
    {
        if (out_.unknown.empty())
            out_.unknown = std::move(why);
    }

    const kube::object& route_;
    const seen_kind& middlewares_;
    const gate_address& gate_;
    bool is_traefik_;
    std::size_t walked_ = 0;
    passage out_;
};

}  // namespace

passage follow_rule(
    const kube::object& route,
    const json::object& rule,
    const seen_kind& middlewares,
    const gate_address& gate,
    bool is_traefik
)
{
    return walk(route, middlewares, gate, is_traefik).follow(rule);
}

}  // namespace portitor::cli::explain

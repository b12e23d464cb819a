#include "offer/naming.hpp"

#include "offer/hosts.hpp"
#include "offer/shown_text.hpp"

#include <fmt/format.h>

namespace portitor::offer {

namespace {

// "https://api.example.com:8443/base" is {"https://", "api.example.com:8443"}; empty for an empty one.
struct url_start
{
    explicit url_start(const std::string& url)
    {
        const auto after = url.find("://");
        if (after == url.npos)
            return;
        scheme = url.substr(0, after + 3);
        authority = url.substr(scheme.size());
        authority = authority.substr(0, authority.find('/'));
    }

    std::string scheme;
    std::string authority;
};

std::string port_of(const std::string& authority)
{
    const auto colon = authority.rfind(':');
    return colon == authority.npos || authority.ends_with(']') ? "" : authority.substr(colon);
}

std::string upstream_origin(const api::service_offer& offer)
{
    return fmt::format("http://{}.{}.svc:{}", offer.upstream.service, offer.upstream.ns, offer.upstream.port);
}

}  // namespace

std::string endpoint_of(const api::service_offer& offer, const plan_settings& settings)
{
    if (settings.gateway.public_url.empty())
        return offer.path;
    const std::string host = own_host(offer, settings);
    if (host.empty())
        return settings.gateway.public_url + offer.path;
    return url_of_host(host, settings) + offer.path;
}

std::string url_of_host(const std::string& host, const plan_settings& settings)
{
    // A hostname of its own is reached by the same scheme and port as the gateway.
    const url_start of(settings.gateway.public_url);
    return of.scheme + host + port_of(of.authority);
}

std::string host_of(const api::service_offer& offer, const plan_settings& settings)
{
    std::string own = own_host(offer, settings);
    return own.empty() ? public_host(settings) : own;
}

std::string public_host(const plan_settings& settings)
{
    std::string named = url_start(settings.gateway.public_url).authority;
    if (!named.empty())
        return named;
    const config::public_hosts all = settings.gateway.public_hosts();
    return all.names.empty() ? std::string() : all.names.front();
}

std::string agent_name(const api::service_offer& offer)
{
    std::string name = shown_text(offer.registration.name);
    return name.empty() ? offer.meta.name : name;
}

std::string description_of(const api::service_offer& offer)
{
    return offer.registration.description.empty() ? "ServiceOffer " + offer.meta.name
                                                  : offer.registration.description;
}

std::string agent_uri(const std::string& offer_uid, const plan_settings& settings)
{
    return fmt::format("{}/.well-known/agent-registration/{}.json", settings.gateway.public_url, offer_uid);
}

std::string upstream_url(const api::service_offer& offer)
{
    return upstream_origin(offer) + offer.upstream.health_path;
}

std::optional<model_target> model_of(const api::service_offer& offer)
{
    if (offer.type != api::offer_type::inference || !offer.model || offer.model->name.empty())
        return std::nullopt;
    return model_target{upstream_origin(offer), offer.model->runtime, offer.model->name};
}

}  // namespace portitor::offer

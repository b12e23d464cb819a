#include "offer/naming.hpp"

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
    if (offer.hostname.empty())
        return settings.gateway.public_url + offer.path;
    // A hostname of its own is reached by the same scheme and port as the gateway.
    const url_start of(settings.gateway.public_url);
    return of.scheme + offer.hostname + port_of(of.authority) + offer.path;
}

std::string host_of(const api::service_offer& offer, const plan_settings& settings)
{
    if (offer.hostname.starts_with('*'))
        return "portitor" + offer.hostname.substr(1);
    return offer.hostname.empty() ? url_start(settings.gateway.public_url).authority : offer.hostname;
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

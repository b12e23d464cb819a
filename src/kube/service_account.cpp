#include "kube/credential_source.hpp"
#include "kube/pem.hpp"

#include <portitor/core/small_file.hpp>

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace portitor::kube {

namespace {

// The number, or 0 where the text is no port.
std::uint16_t parse_port(const char* text)
{
    std::uint16_t port = 0;
    const char* const end = text + std::strlen(text);
    const auto read = std::from_chars(text, end, port);
    return read.ec == std::errc() && read.ptr == end ? port : std::uint16_t{0};
}

}  // namespace

result<credential_source> read_service_account(const std::string& folder)
{
    const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
    const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
    if (!host || !port)
        return fail(errc::invalid, "not in a pod: give --kubeconfig FILE (or set PORTITOR_KUBECONFIG)");
    const bool ipv6 = std::strchr(host, ':') != nullptr;
    const auto url =
        http::parse_url(ipv6 ? fmt::format("https://[{}]", host) : fmt::format("https://{}", host));
    if (!url || url->target != "/")
        return fail(errc::invalid, "KUBERNETES_SERVICE_HOST is no host name or address: \"{}\"", host);
    credential_source out;
    out.server = url->origin;
    out.server.port = parse_port(port);
    if (out.server.port == 0)
        return fail(errc::invalid, "KUBERNETES_SERVICE_PORT is no port from 1 to 65535: \"{}\"", port);

    out.ca.path = folder + "/ca.crt";
    auto ca = read_small_file(out.ca.path);
    if (!ca)
        return ca.error().within("service account");
    if (!is_pem(*ca))
        return fail(errc::invalid, "service account: {} holds no PEM", out.ca.path);
    out.ca.text = std::move(*ca);

    out.token.path = folder + "/token";
    auto token = read_small_file(out.token.path);
    if (!token)
        return token.error().within("service account");
    out.token.text = trimmed(std::move(*token));
    if (!is_bearer_token(out.token.text))
        return fail(errc::invalid, "service account: {} holds no token", out.token.path);
    return out;
}

}  // namespace portitor::kube

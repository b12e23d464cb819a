#include "kube/exec_plugin.hpp"

#include "kube/pem.hpp"

#include <portitor/core/clock.hpp>

#include <boost/json/parse.hpp>

namespace portitor::kube {

namespace json = boost::json;

namespace {

error wrong(const char* what)
{
    return fail(errc::protocol, "its output {}", what);
}

// The text of a member; empty where it is absent or null, none where it is something else.
std::optional<std::string> text_at(const json::object& from, std::string_view key)
{
    const json::value* found = from.if_contains(json::string_view(key.data(), key.size()));
    if (!found || found->is_null())
        return std::string();
    if (!found->is_string())
        return std::nullopt;
    return std::string(found->get_string().data(), found->get_string().size());
}

result<exec_credential> parse_status(const json::object& status)
{
    const auto token = text_at(status, "token");
    const auto certificate = text_at(status, "clientCertificateData");
    const auto private_key = text_at(status, "clientKeyData");
    const auto expires = text_at(status, "expirationTimestamp");
    if (!token || !certificate || !private_key || !expires)
        return wrong("has a field in status that is no text");
    if (certificate->empty() != private_key->empty())
        return wrong("has only one of status.clientCertificateData and status.clientKeyData");
    if (token->empty() && certificate->empty())
        return wrong("has neither status.token nor status.clientCertificateData");
    if (!token->empty() && !is_bearer_token(*token))
        return wrong("has a status.token that cannot stand in a header");
    if (!certificate->empty() && (!is_pem(*certificate) || !is_pem(*private_key)))
        return wrong("has a status.clientCertificateData or status.clientKeyData that is no PEM");
    if (!certificate->empty() && !may_belong_together(*certificate, *private_key))
        return wrong("has a status.clientKeyData that is not the certificate's");
    exec_credential out;
    if (!expires->empty())
    {
        out.expires = parse_rfc3339(*expires);
        if (!out.expires)
            return wrong("has a status.expirationTimestamp that is no RFC 3339 time");
    }
    out.token = *token;
    out.certificate = *certificate;
    out.private_key = *private_key;
    return out;
}

}  // namespace

result<exec_credential> parse_exec_credential(std::string_view output, const std::string& api_version)
{
    boost::system::error_code ec;
    const json::value document = json::parse(json::string_view(output.data(), output.size()), ec);
    if (ec || !document.is_object())
        return wrong("is no JSON object");
    const json::object& root = document.get_object();
    if (text_at(root, "kind") != "ExecCredential")
        return wrong("is not of kind ExecCredential");
    if (text_at(root, "apiVersion") != api_version)
        return fail(errc::protocol, "its output is not of apiVersion {}", api_version);
    const json::value* status = root.if_contains("status");
    if (!status || !status->is_object())
        return wrong("has no status");
    return parse_status(status->get_object());
}

result<exec_credential> run_exec_plugin(const exec_plugin& plugin, std::stop_token stop)
{
    const std::string context = fmt::format("exec plugin {}", plugin.name);
    const auto output = run_child(plugin.command, plugin.limits, std::move(stop));
    if (!output && output.error().code() == errc::not_found)
    {
        // Not errc::not_found: that is what an absent object is to those who ask the API server.
        const std::string hint = plugin.install_hint.empty() ? "" : ": " + plugin.install_hint;
        return fail(errc::invalid, "{}: {}{}", context, output.error().message(), hint);
    }
    if (!output)
        return output.error().within(context);
    auto credential = parse_exec_credential(*output, plugin.api_version);
    if (!credential)
        return credential.error().within(context);
    return credential;
}

}  // namespace portitor::kube

#include <portitor/kube/credentials.hpp>

#include <boost/beast/core/detail/base64.hpp>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace portitor::kube {

namespace {

constexpr auto token_lifetime = std::chrono::minutes(1);

result<std::string> read_file(const std::string& path)
{
    std::ifstream in(path, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf()))
        return fail(errc::not_found, "{} cannot be read", path);
    return text.str();
}

std::string trimmed(std::string text)
{
    const auto last = text.find_last_not_of(" \t\r\n");
    text.erase(last == text.npos ? 0 : last + 1);
    text.erase(0, text.find_first_not_of(" \t\r\n"));
    return text;
}

std::string decode_base64(const std::string& text)
{
    namespace base64 = boost::beast::detail::base64;
    const std::string packed = trimmed(text);
    // decoded_size() counts whole groups of four only; text without padding ends in a part of one.
    std::string out(base64::decoded_size(packed.size() + 3), '\0');
    out.resize(base64::decode(out.data(), packed.data(), packed.size()).first);
    return out;
}

/// The entry of that name in one of a kubeconfig's lists of {name, <kind>: {...}}.
YAML::Node find_named(const YAML::Node& list, const std::string& name, const char* kind)
{
    for (const auto& entry : list)
    {
        if (entry["name"] && entry["name"].Scalar() == name)
            return entry[kind];
    }
    return YAML::Node(YAML::NodeType::Undefined);
}

/// Reads one kubeconfig; errors name the file and the field.
class kubeconfig_reader
{
public:
    kubeconfig_reader(std::string path, YAML::Node document)
        : path_(std::move(path)), document_(std::move(document))
    {}

    result<connection_config> read(std::string context_name)
    {
        if (context_name.empty() && document_["current-context"])
            context_name = document_["current-context"].Scalar();
        const YAML::Node context = find_named(document_["contexts"], context_name, "context");
        if (!context || !context.IsMap())
            return wrong("has no context \"{}\"", context_name);
        const std::string cluster_name = context["cluster"].as<std::string>("");
        const YAML::Node cluster = find_named(document_["clusters"], cluster_name, "cluster");
        if (!cluster || !cluster.IsMap())
            return wrong("has no cluster \"{}\"", cluster_name);
        connection_config out;
        if (auto read = read_cluster(cluster, out); !read)
            return read.error();
        const std::string user_name = context["user"].as<std::string>("");
        const YAML::Node user = find_named(document_["users"], user_name, "user");
        if (!user_name.empty() && !user)
            return wrong("has no user \"{}\"", user_name);
        if (user && user.IsMap())
        {
            if (auto read = read_user(user, out); !read)
                return read.error();
        }
        return out;
    }

private:
    template <typename... Args>
    error wrong(fmt::format_string<Args...> text, Args&&... args) const
    {
        return fail(errc::invalid, "kubeconfig {} {}", path_, fmt::format(text, std::forward<Args>(args)...));
    }

    result<void> read_cluster(const YAML::Node& cluster, connection_config& out) const
    {
        for (const char* unsupported : {"proxy-url", "insecure-skip-tls-verify"})
        {
            if (cluster[unsupported] && cluster[unsupported].Scalar() != "false")
                return wrong("uses {}, which is not supported", unsupported);
        }
        const auto server = http::parse_url(cluster["server"].as<std::string>(""));
        if (!server)
            return wrong("has no usable cluster.server: {}", server.error().message());
        if (server->target != "/")
            return wrong("has a cluster.server with a path, which is not supported");
        out.server = server->origin;
        out.tls.server_name = cluster["tls-server-name"].as<std::string>("");
        return read_pem(cluster, "certificate-authority", out.tls.ca);
    }

    result<void> read_user(const YAML::Node& user, connection_config& out) const
    {
        for (const char* unsupported : {"exec", "auth-provider", "username", "password"})
        {
            if (user[unsupported])
                return wrong(
                    "uses user.{}, which is not supported: use a token or a client certificate", unsupported
                );
        }
        if (auto read = read_pem(user, "client-certificate", out.tls.certificate); !read)
            return read;
        if (auto read = read_pem(user, "client-key", out.tls.private_key); !read)
            return read;
        if (user["token"])
            out.token = bearer_token::fixed(user["token"].Scalar());
        else if (user["tokenFile"])
            out.token = bearer_token::from_file(beside(user["tokenFile"].Scalar()));
        return {};
    }

    /// `<key>-data` in base64, or the file `<key>`.
    result<void> read_pem(const YAML::Node& from, const std::string& key, std::string& into) const
    {
        if (const YAML::Node data = from[key + "-data"])
        {
            into = decode_base64(data.Scalar());
            if (into.find("-----BEGIN") == into.npos)
                return wrong("has a {}-data that is no PEM in base64", key);
        }
        else if (const YAML::Node file = from[key])
        {
            auto text = read_file(beside(file.Scalar()));
            if (!text)
                return wrong("names a {} that cannot be read: {}", key, file.Scalar());
            into = *text;
        }
        return {};
    }

    std::string beside(const std::string& relative) const
    {
        return (std::filesystem::path(path_).parent_path() / relative).string();
    }

    std::string path_;
    YAML::Node document_;
};

}  // namespace

bearer_token bearer_token::fixed(std::string token)
{
    bearer_token out;
    out.token_ = std::move(token);
    return out;
}

bearer_token bearer_token::from_file(std::string path)
{
    bearer_token out;
    out.path_ = std::move(path);
    return out;
}

const std::string& bearer_token::value()
{
    const auto now = std::chrono::steady_clock::now();
    if (!path_.empty() &&
        (read_at_ == std::chrono::steady_clock::time_point{} || now - read_at_ > token_lifetime))
    {
        if (auto text = read_file(path_))
            token_ = trimmed(*text);
        read_at_ = now;
    }
    return token_;
}

result<connection_config> load_kubeconfig(const std::string& path, const std::string& context)
{
    YAML::Node document;
    try
    {
        document = YAML::LoadFile(path);
        if (!document.IsMap())
            return fail(errc::invalid, "kubeconfig {} is no YAML mapping", path);
        return kubeconfig_reader(path, document).read(context);
    }
    catch (const YAML::BadFile&)
    {
        return fail(errc::not_found, "kubeconfig {} cannot be read", path);
    }
    catch (const std::ios_base::failure&)
    {
        return fail(errc::not_found, "kubeconfig {} cannot be read", path);
    }
    catch (const YAML::Exception& wrong)
    {
        // The message of the parser, never the text: it may hold a key.
        return fail(errc::invalid, "kubeconfig {}:{}: {}", path, wrong.mark.line + 1, wrong.msg);
    }
}

result<connection_config> load_in_cluster()
{
    const char* host = std::getenv("KUBERNETES_SERVICE_HOST");
    const char* port = std::getenv("KUBERNETES_SERVICE_PORT");
    if (!host || !port)
        return fail(errc::invalid, "not in a pod: give --kubeconfig FILE (or set PORTITOR_KUBECONFIG)");
    const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount/";
    auto ca = read_file(folder + "ca.crt");
    if (!ca)
        return ca.error().within("service account");
    connection_config out;
    out.server.scheme = "https";
    out.server.host = host;
    out.server.port = static_cast<std::uint16_t>(std::strtoul(port, nullptr, 10));
    out.tls.ca = *ca;
    out.token = bearer_token::from_file(folder + "token");
    return out;
}

result<connection_config> load_connection(const std::string& kubeconfig, const std::string& context)
{
    return kubeconfig.empty() ? load_in_cluster() : load_kubeconfig(kubeconfig, context);
}

}  // namespace portitor::kube

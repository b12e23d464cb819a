#include "kube/credential_source.hpp"
#include "kube/exec_config.hpp"
#include "kube/pem.hpp"
#include "kube/yaml_fields.hpp"

#include <portitor/core/small_file.hpp>

#include <filesystem>

namespace portitor::kube {

namespace {

/// The entry of that name in one of a kubeconfig's lists of {name, <kind>: {...}}.
YAML::Node find_named(const YAML::Node& document, const std::string& kind, const std::string& name)
{
    const YAML::Node list = document[kind + "s"];
    for (const auto& entry : list)
    {
        if (entry["name"] && entry["name"].Scalar() == name)
            return entry[kind];
    }
    return YAML::Node(YAML::NodeType::Undefined);
}

/// Reads one kubeconfig; throws bad_configuration, which names the field.
class kubeconfig_reader
{
public:
    /// `folder` is the one that relative paths start from.
    kubeconfig_reader(std::string folder, const YAML::Node& document)
        : folder_(std::move(folder)), document_(document)
    {}

    credential_source read(std::string context_name) const
    {
        if (context_name.empty())
            context_name = text_of(document_, "current-context", "current-context");
        const YAML::Node context = find_named(document_, "context", context_name);
        if (!context || !context.IsMap())
            throw bad_configuration{"has no context \"" + context_name + "\""};
        const std::string cluster_name = text_of(context, "cluster", "context.cluster");
        const YAML::Node cluster = find_named(document_, "cluster", cluster_name);
        if (!cluster || !cluster.IsMap())
            throw bad_configuration{"has no cluster \"" + cluster_name + "\""};
        credential_source out;
        read_cluster(cluster, out);
        const std::string user_name = text_of(context, "user", "context.user");
        const YAML::Node user = find_named(document_, "user", user_name);
        if (!user_name.empty() && !user)
            throw bad_configuration{"has no user \"" + user_name + "\""};
        if (user && user.IsMap())
            read_user(user, cluster, out);
        return out;
    }

private:
    void read_cluster(const YAML::Node& cluster, credential_source& out) const
    {
        if (is_given(cluster["proxy-url"]))
            throw bad_configuration{"uses cluster.proxy-url, which is not supported"};
        if (flag_of(cluster, "insecure-skip-tls-verify", "cluster.insecure-skip-tls-verify"))
            throw bad_configuration{"uses cluster.insecure-skip-tls-verify, which is not supported: "
                                    "name the CA in certificate-authority"};
        const auto server = http::parse_url(text_of(cluster, "server", "cluster.server"));
        if (!server)
            throw bad_configuration{"has no usable cluster.server: " + server.error().message()};
        if (server->target != "/")
            throw bad_configuration{"has a cluster.server with a path, which is not supported"};
        out.server = server->origin;
        out.server_name = text_of(cluster, "tls-server-name", "cluster.tls-server-name");
        out.ca = read_pem(cluster, "certificate-authority", "cluster.");
    }

    void read_user(const YAML::Node& user, const YAML::Node& cluster, credential_source& out) const
    {
        for (const std::string unsupported :
             {"auth-provider", "username", "password", "as", "as-uid", "as-groups", "as-user-extra"})
        {
            if (is_given(user[unsupported]))
                throw bad_configuration{
                    "uses user." + unsupported +
                    ", which is not supported: use a token, a client certificate or an exec plugin"};
        }
        out.certificate = read_pem(user, "client-certificate", "user.");
        out.private_key = read_pem(user, "client-key", "user.");
        if (out.certificate.text.empty() != out.private_key.text.empty())
            throw bad_configuration{"has only one of user.client-certificate and user.client-key"};
        if (!out.certificate.text.empty() && !may_belong_together(out.certificate.text, out.private_key.text))
            throw bad_configuration{"has a user.client-key that is not the one of user.client-certificate"};
        out.token = read_token(user);
        if (!is_given(user["exec"]))
            return;
        if (!out.token.text.empty())
            throw bad_configuration{"has both user.exec and user.token or user.tokenFile: keep one"};
        out.plugin = read_exec_config(user["exec"], cluster, out.ca.text, folder_);
    }

    /// `<key>-data` in base64, or the file `<key>`.
    text_source read_pem(const YAML::Node& from, const std::string& key, const std::string& parent) const
    {
        text_source out;
        const std::string field = parent + key;
        const std::string data = text_of(from, key + "-data", field + "-data");
        const std::string file = text_of(from, key, field);
        if (!data.empty())
        {
            out.text = pem_from_base64(data);
            if (out.text.empty())
                throw bad_configuration{"has a " + field + "-data that is no PEM in base64"};
        }
        else if (!file.empty())
        {
            out.path = beside(file);
            out.text = read_file(field, out.path);
            if (!is_pem(out.text))
                throw bad_configuration{"names a " + field + " that holds no PEM: " + file};
        }
        return out;
    }

    /// As client-go: the file's last good content goes before the token, which may stand in at first.
    text_source read_token(const YAML::Node& user) const
    {
        text_source out;
        out.text = text_of(user, "token", "user.token");
        if (!out.text.empty() && !is_bearer_token(out.text))
            throw bad_configuration{"has a user.token that cannot stand in a header"};
        const std::string file = text_of(user, "tokenFile", "user.tokenFile");
        if (file.empty())
            return out;
        out.path = beside(file);
        if (!out.text.empty())
        {
            const auto text = read_small_file(out.path);
            if (text && is_bearer_token(trimmed(*text)))
                out.text = trimmed(*text);
            return out;
        }
        out.text = trimmed(read_file("user.tokenFile", out.path));
        if (!is_bearer_token(out.text))
            throw bad_configuration{"names a user.tokenFile that holds no token: " + file};
        return out;
    }

    static std::string read_file(const std::string& field, const std::string& path)
    {
        auto text = read_small_file(path);
        if (!text)
            throw bad_configuration{"names a " + field + " that cannot be used: " + text.error().message()};
        return std::move(*text);
    }

    std::string beside(const std::string& relative) const
    {
        return (std::filesystem::path(folder_) / relative).string();
    }

    std::string folder_;
    YAML::Node document_;
};

}  // namespace

result<credential_source> read_kubeconfig(const std::string& path, const std::string& context)
{
    const auto text = read_small_file(path);
    if (!text)
        return text.error().within("kubeconfig");
    try
    {
        // Absolute, so that the files are found whatever the working directory is when they are read again.
        const auto folder = std::filesystem::absolute(path).parent_path();
        const YAML::Node document = YAML::Load(*text);
        if (!document.IsMap())
            return fail(errc::invalid, "kubeconfig {} is no YAML mapping", path);
        return kubeconfig_reader(folder.string(), document).read(context);
    }
    catch (const bad_configuration& bad)
    {
        return fail(errc::invalid, "kubeconfig {} {}", path, bad.what);
    }
    catch (const YAML::Exception& bad)
    {
        return refuse_yaml(path, bad);
    }
    catch (const std::filesystem::filesystem_error& bad)
    {
        return fail(errc::unavailable, "kubeconfig {}: {}", path, bad.code().message());
    }
}

}  // namespace portitor::kube

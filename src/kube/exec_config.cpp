#include "kube/exec_config.hpp"

#include "kube/pem.hpp"
#include "kube/yaml_fields.hpp"

#include <boost/json/serialize.hpp>

#include <filesystem>
#include <map>
#include <unistd.h>

namespace portitor::kube {

namespace json = boost::json;

namespace {

const char* const api_group = "client.authentication.k8s.io";

std::string field(const std::string& name)
{
    return "user.exec." + name;
}

void check_list(const YAML::Node& list, const std::string& name)
{
    if (is_given(list) && !list.IsSequence())
        throw bad_configuration{"has a " + field(name) + " that is no list"};
}

std::string read_command(const YAML::Node& exec, const std::string& folder)
{
    const std::string command = text_of(exec, "command", field("command"));
    if (command.empty())
        throw bad_configuration{"has no " + field("command")};
    // A bare name is looked up in PATH.
    return command.find('/') == command.npos ? command : (std::filesystem::path(folder) / command).string();
}

std::string read_api_version(const YAML::Node& exec)
{
    const std::string version = text_of(exec, "apiVersion", field("apiVersion"));
    const std::string group = api_group;
    if (version != group + "/v1" && version != group + "/v1beta1")
        throw bad_configuration{
            "has a " + field("apiVersion") + " that is neither " + group + "/v1 nor " + group + "/v1beta1"};
    return version;
}

void check_interactive_mode(const YAML::Node& exec)
{
    const std::string mode = text_of(exec, "interactiveMode", field("interactiveMode"));
    if (mode == "Always")
        throw bad_configuration{
            "has " + field("interactiveMode") +
            " Always, but there is no terminal: use IfAvailable or Never"};
    if (!mode.empty() && mode != "IfAvailable" && mode != "Never")
        throw bad_configuration{
            "has a " + field("interactiveMode") + " that is none of Never, IfAvailable and Always"};
}

std::vector<std::string> read_arguments(const YAML::Node& exec)
{
    const YAML::Node list = exec["args"];
    check_list(list, "args");
    std::vector<std::string> out;
    for (const auto& each : list)
    {
        if (!each.IsScalar())
            throw bad_configuration{"has " + field("args") + " that are no texts"};
        out.push_back(each.Scalar());
    }
    return out;
}

// What client-go tells: the cluster as the kubeconfig has it, the CA inline, and the plugin's own settings.
json::object describe_cluster(const YAML::Node& cluster, const std::string& ca)
{
    json::object out;
    out["server"] = text_of(cluster, "server", "cluster.server");
    const std::string server_name = text_of(cluster, "tls-server-name", "cluster.tls-server-name");
    if (!server_name.empty())
        out["tls-server-name"] = server_name;
    if (!ca.empty())
        out["certificate-authority-data"] = to_base64(ca);
    const YAML::Node extensions = cluster["extensions"];
    if (!is_given(extensions) || !extensions.IsSequence())
        return out;
    for (const auto& each : extensions)
    {
        if (each.IsMap() &&
            text_of(each, "name", "cluster.extensions.name") == std::string(api_group) + "/exec")
            out["config"] = to_json(each["extension"]);
    }
    return out;
}

std::string describe_request(
    const YAML::Node& exec, const YAML::Node& cluster, const std::string& ca, const std::string& api_version
)
{
    json::object spec;
    spec["interactive"] = false;
    if (flag_of(exec, "provideClusterInfo", field("provideClusterInfo")))
        spec["cluster"] = describe_cluster(cluster, ca);
    json::object out;
    out["apiVersion"] = api_version;
    out["kind"] = "ExecCredential";
    out["spec"] = std::move(spec);
    return json::serialize(out);
}

std::map<std::string, std::string> own_environment()
{
    std::map<std::string, std::string> out;
    for (char** each = environ; *each; ++each)
    {
        const std::string entry = *each;
        const auto at = entry.find('=');
        if (at != entry.npos)
            out[entry.substr(0, at)] = entry.substr(at + 1);
    }
    return out;
}

void add_configured(const YAML::Node& list, std::map<std::string, std::string>& to)
{
    check_list(list, "env");
    for (const auto& each : list)
    {
        if (!each.IsMap())
            throw bad_configuration{"has an entry in " + field("env") + " that is no name and value"};
        const std::string name = text_of(each, "name", field("env.name"));
        if (name.empty() || name.find('=') != name.npos)
            throw bad_configuration{"has an entry in " + field("env") + " without a usable name"};
        to[name] = text_of(each, "value", field("env.value"));
    }
}

}  // namespace

exec_plugin read_exec_config(
    const YAML::Node& exec, const YAML::Node& cluster, const std::string& ca, const std::string& folder
)
{
    if (!exec.IsMap())
        throw bad_configuration{"has a user.exec that is no mapping"};
    exec_plugin out;
    out.name = text_of(exec, "command", field("command"));
    out.command.program = read_command(exec, folder);
    out.api_version = read_api_version(exec);
    out.install_hint = text_of(exec, "installHint", field("installHint"));
    check_interactive_mode(exec);
    out.command.arguments = read_arguments(exec);
    auto environment = own_environment();
    add_configured(exec["env"], environment);
    environment["KUBERNETES_EXEC_INFO"] = describe_request(exec, cluster, ca, out.api_version);
    for (const auto& [name, value] : environment)
        out.command.environment.push_back(name + "=" + value);
    return out;
}

}  // namespace portitor::kube

#include "roles/settings.hpp"

#include <boost/asio/ip/address_v4.hpp>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <set>

namespace portitor::roles {

namespace {

using setter = std::function<result<void>(const std::string&)>;

setter set_level(log_level& into)
{
    return [&into](const std::string& value) -> result<void> {
        static const std::map<std::string, log_level> names{
            {"debug", log_level::debug},
            {"info", log_level::info},
            {"warn", log_level::warn},
            {"error", log_level::error}};
        const auto at = names.find(value);
        if (at == names.end())
            return fail(errc::invalid, "\"{}\" is none of debug, info, warn, error", value);
        into = at->second;
        return {};
    };
}

setter set_format(log_format& into)
{
    return [&into](const std::string& value) -> result<void> {
        if (value != "json" && value != "text")
            return fail(errc::invalid, "\"{}\" is neither json nor text", value);
        into = value == "json" ? log_format::json : log_format::text;
        return {};
    };
}

setter set_key(kube::object_key& into)
{
    return [&into](const std::string& value) -> result<void> {
        if (value.empty())
        {
            into = {};
            return {};
        }
        const auto slash = value.find('/');
        if (slash == value.npos || slash == 0 || slash + 1 == value.size() ||
            value.find('/', slash + 1) != value.npos)
            return fail(errc::invalid, "\"{}\" is not NAMESPACE/NAME", value);
        into = {value.substr(0, slash), value.substr(slash + 1)};
        return {};
    };
}

// "NAMESPACE/NAME", with ":PORT" where it is another one than the usual.
setter set_service_port(service_port& into)
{
    return [&into](const std::string& value) -> result<void> {
        service_port read;
        const auto colon = value.find(':');
        if (colon != value.npos)
        {
            const char* last = value.data() + value.size();
            const auto [end, failure] = std::from_chars(value.data() + colon + 1, last, read.port);
            if (failure != std::errc() || end != last || read.port == 0)
                return fail(errc::invalid, "\"{}\" does not end with a port from 1 to 65535", value);
        }
        auto named = set_key(read.service)(value.substr(0, colon));
        if (!named || colon == 0)
            return fail(errc::invalid, "\"{}\" is neither NAMESPACE/NAME nor NAMESPACE/NAME:PORT", value);
        into = std::move(read);
        return {};
    };
}

setter set_number(std::uint32_t& into)
{
    return [&into](const std::string& value) -> result<void> {
        std::uint32_t number = 0;
        const char* last = value.data() + value.size();
        const auto [end, failure] = std::from_chars(value.data(), last, number);
        if (failure != std::errc() || end != last || value.empty())
            return fail(errc::invalid, "\"{}\" is no whole number", value);
        into = number;
        return {};
    };
}

// As Kubernetes writes them: "15s", "2m".
setter set_seconds(std::chrono::seconds& into)
{
    return [&into](const std::string& value) -> result<void> {
        std::uint32_t number = 0;
        const char* last = value.data() + value.size();
        const auto [end, failure] = std::from_chars(value.data(), last, number);
        const std::string_view unit(end, static_cast<std::size_t>(last - end));
        if (failure != std::errc() || (unit != "s" && unit != "m") || number > 86400)
            return fail(errc::invalid, "\"{}\" is no time such as 15s or 2m", value);
        into = unit == "s" ? std::chrono::seconds(number) : std::chrono::minutes(number);
        return {};
    };
}

// Keeps a URL without its last slash; empty stays empty.
setter set_url(std::string& into)
{
    return [&into](const std::string& value) -> result<void> {
        if (!value.empty())
        {
            const auto parsed = http::parse_url(value);
            if (!parsed)
                return parsed.error();
        }
        into = value;
        while (!into.empty() && into.back() == '/')
            into.pop_back();
        return {};
    };
}

result<std::string> required_text(const YAML::Node& entry, const char* key)
{
    const YAML::Node value = entry[key];
    if (!value || !value.IsScalar() || value.Scalar().empty())
        return fail(errc::invalid, "line {}: each entry needs \"{}\"", entry.Mark().line + 1, key);
    return value.Scalar();
}

result<void> only_keys(const YAML::Node& entry, std::initializer_list<std::string_view> known)
{
    if (!entry.IsMap())
        return fail(errc::invalid, "line {}: each entry is a mapping", entry.Mark().line + 1);
    std::set<std::string> seen;
    for (const auto& pair : entry)
    {
        const std::string& key = pair.first.Scalar();
        const int line = pair.first.Mark().line + 1;
        if (std::find(known.begin(), known.end(), key) == known.end())
            return fail(errc::invalid, "line {}: unknown key \"{}\"", line, key);
        if (!seen.insert(key).second)
            return fail(errc::invalid, "line {}: \"{}\" comes twice", line, key);
    }
    return {};
}

// One that is not there, or has nothing in it, is an empty list.
result<void> check_list(const YAML::Node& list)
{
    if (!list.IsDefined() || list.IsNull() || list.IsSequence())
        return {};
    return fail(errc::invalid, "line {}: a list is wanted", list.Mark().line + 1);
}

using section_reader = std::function<result<void>(const YAML::Node&)>;

section_reader read_list(section_reader read)
{
    return [read = std::move(read)](const YAML::Node& list) {
        auto shaped = check_list(list);
        return shaped ? read(list) : shaped;
    };
}

result<void> read_facilitators(const YAML::Node& list, std::vector<facilitator>& into)
{
    for (const auto& entry : list)
    {
        auto known = only_keys(entry, {"name", "url"});
        if (!known)
            return known;
        auto name = required_text(entry, "name");
        auto text = required_text(entry, "url");
        if (!name || !text)
            return name ? text.error() : name.error();
        std::string url;
        auto parsed = set_url(url)(*text);
        if (!parsed)
            return parsed.error().within("facilitator " + *name);
        if (std::any_of(into.begin(), into.end(), [&](const auto& each) { return each.name == *name; }))
            return fail(errc::conflict, "line {}: facilitator {} comes twice", entry.Mark().line + 1, *name);
        into.push_back({*name, url});
    }
    return {};
}

// A text that need not be there.
result<std::string> optional_text(const YAML::Node& entry, const char* key)
{
    const YAML::Node value = entry[key];
    if (!value)
        return std::string();
    if (!value.IsScalar())
        return fail(errc::invalid, "line {}: \"{}\" is a text", value.Mark().line + 1, key);
    return value.Scalar();
}

result<std::vector<std::string>> texts(const YAML::Node& entry, const char* key)
{
    std::vector<std::string> out;
    const YAML::Node list = entry[key];
    if (!list)
        return out;
    if (!list.IsSequence())
        return fail(errc::invalid, "line {}: \"{}\" is a list", list.Mark().line + 1, key);
    for (const auto& each : list)
    {
        if (!each.IsScalar() || each.Scalar().empty())
            return fail(errc::invalid, "line {}: \"{}\" is a list of texts", each.Mark().line + 1, key);
        out.push_back(each.Scalar());
    }
    return out;
}

result<void> read_credentials(const YAML::Node& list, std::vector<credential_entry>& into)
{
    for (const auto& entry : list)
    {
        auto known = only_keys(entry, {"name", "file", "namespaces"});
        if (!known)
            return known;
        auto name = required_text(entry, "name");
        auto file = required_text(entry, "file");
        auto namespaces = texts(entry, "namespaces");
        if (!name || !file || !namespaces)
            return !name ? name.error() : !file ? file.error() : namespaces.error();
        into.push_back({*name, *file, *namespaces});
    }
    return {};
}

result<x402::token> read_token(const YAML::Node& entry)
{
    auto known = only_keys(entry, {"symbol", "address", "name", "version", "decimals", "transferMethod"});
    if (!known)
        return known.error();
    auto symbol = required_text(entry, "symbol");
    auto address = required_text(entry, "address");
    auto name = required_text(entry, "name");
    auto version = required_text(entry, "version");
    auto decimals = required_text(entry, "decimals");
    auto method = optional_text(entry, "transferMethod");
    for (const auto* each : {&symbol, &address, &name, &version, &decimals, &method})
    {
        if (!*each)
            return each->error();
    }
    x402::token out;
    out.symbol = *symbol;
    out.address = *address;
    out.name = *name;
    out.version = *version;
    std::uint32_t number = 0;
    auto read = set_number(number)(*decimals);
    if (!read)
        return read.error().within("decimals");
    if (number > 255)
        return fail(errc::invalid, "decimals: {} is more than a token can have", number);
    out.decimals = number;
    if (!method->empty() && *method != "eip3009" && *method != "permit2")
        return fail(errc::invalid, "transferMethod: \"{}\" is neither eip3009 nor permit2", *method);
    out.method = *method == "permit2" ? x402::transfer_method::permit2 : x402::transfer_method::eip3009;
    return out;
}

result<x402::network> read_network(const YAML::Node& entry)
{
    auto known = only_keys(entry, {"network", "v1Name", "aliases", "tokens"});
    if (!known)
        return known.error();
    auto name = required_text(entry, "network");
    auto v1_name = optional_text(entry, "v1Name");
    auto aliases = texts(entry, "aliases");
    if (!name || !v1_name || !aliases)
        return !name ? name.error() : !v1_name ? v1_name.error() : aliases.error();
    x402::network out;
    out.caip2 = *name;
    out.v1_name = *v1_name;
    out.aliases = *aliases;
    std::uint32_t chain_id = 0;
    if (name->starts_with("eip155:") && set_number(chain_id)(name->substr(7)))
        out.chain_id = chain_id;
    auto shaped = check_list(entry["tokens"]);
    if (!shaped)
        return shaped.error().within("tokens");
    for (const auto& each : entry["tokens"])
    {
        auto token = read_token(each);
        if (!token)
            return token.error().within(fmt::format("token on line {}", each.Mark().line + 1));
        out.tokens.push_back(std::move(*token));
    }
    return out;
}

result<void> read_networks(const YAML::Node& list, x402::network_table& into)
{
    for (const auto& entry : list)
    {
        auto made = read_network(entry);
        if (!made)
            return made.error();
        const std::string name = made->caip2;
        auto added = into.add(std::move(*made));
        if (!added)
            return added.error().within("network " + name);
    }
    return {};
}

// Extends or changes the built-in ones; a new one needs a registry.
result<void> read_chains(const YAML::Node& list, std::vector<chain>& into)
{
    std::set<std::string> seen;
    for (const auto& entry : list)
    {
        auto known = only_keys(entry, {"name", "registry", "rpcURL"});
        if (!known)
            return known;
        auto name = required_text(entry, "name");
        auto registry = optional_text(entry, "registry");
        auto rpc_text = optional_text(entry, "rpcURL");
        if (!name || !registry || !rpc_text)
            return !name ? name.error() : !registry ? registry.error() : rpc_text.error();
        if (!seen.insert(*name).second)
            return fail(errc::conflict, "line {}: chain {} comes twice", entry.Mark().line + 1, *name);
        std::string rpc_url;
        auto parsed = set_url(rpc_url)(*rpc_text);
        if (!parsed)
            // Without the URL, in which there may be a key.
            return fail(
                errc::invalid,
                "line {}: chain {}: rpcURL is not an absolute http or https URL",
                entry.Mark().line + 1,
                *name
            );
        auto at =
            std::find_if(into.begin(), into.end(), [&](const chain& each) { return each.name == *name; });
        if (at == into.end())
            at = into.insert(into.end(), chain{*name, {}, {}});
        if (!registry->empty())
            at->registry = *registry;
        at->rpc_url = rpc_url;
    }
    return {};
}

// The identity registries of ERC-8004: one address on every mainnet, another on every testnet. The first one
// is meant where an offer names none.
std::vector<chain> built_in_chains()
{
    const std::string mainnet = "0x8004A169FB4a3325136EB29fA0ceB6D2e539a432";
    const std::string testnet = "0x8004A818BFB912233c491871b3d84c89A494BD9e";
    return {
        {"base-sepolia", testnet, {}},
        {"base", mainnet, {}},
        {"ethereum", mainnet, {}},
        {"polygon", mainnet, {}},
        {"avalanche", mainnet, {}},
        {"polygon-amoy", testnet, {}},
    };
}

bool is_local(const std::string& host)
{
    const auto ends_with = [&](std::string_view suffix) {
        return host.size() > suffix.size() && host.ends_with(suffix);
    };
    boost::system::error_code no_address;
    const auto address = boost::asio::ip::make_address_v4(host, no_address);
    return host == "localhost" || host == "::1" || (!no_address && address.is_loopback()) ||
           ends_with(".svc") || ends_with(".svc.cluster.local");
}

}  // namespace

const facilitator* settings::find_facilitator(std::string_view name) const
{
    const auto at = std::find_if(facilitators.begin(), facilitators.end(), [&](const facilitator& each) {
        return each.name == name;
    });
    return at == facilitators.end() ? nullptr : &*at;
}

void declare(config_loader& loader, settings& into)
{
    loader.add(
        {"role", "what this process does: controller, verifier, registrar or once", "", set_text(into.role)}
    );
    loader.add(
        {"kubeconfig", "kubeconfig file; without it the pod's service account", "", set_text(into.kubeconfig)}
    );
    loader.add(
        {"context", "context of the kubeconfig; without it the current one", "", set_text(into.context)}
    );
    loader.add({"log-level", "debug, info, warn or error", "info", set_level(into.level)});
    loader.add({"log-format", "json or text", "text", set_format(into.format)});
    loader.add({"listen", "address of the role's own service", ":8080", set_text(into.listen)});
    loader.add(
        {"health-listen", "address of /healthz, /readyz and /metrics", ":8081", set_text(into.health_listen)}
    );
    loader.add({"namespace", "namespace in which Portitor runs", "portitor", set_text(into.ns)});
    loader.add(
        {"leader-elect",
         "controller, registrar: only the holder of a Lease in --namespace works, the others wait",
         "true",
         set_bool(into.leader_elect),
         true}
    );
    loader.add(
        {"leader-elect-lease-duration",
         "how long the others leave a leader alone that does not renew its Lease",
         "15s",
         set_seconds(into.lease_duration)}
    );
    loader.add(
        {"leader-elect-renew-deadline",
         "after how long without a renewal the leader itself gives up",
         "10s",
         set_seconds(into.renew_deadline)}
    );
    loader.add(
        {"leader-elect-retry-period",
         "time between two attempts to get or renew the Lease",
         "2s",
         set_seconds(into.retry_period)}
    );
    loader.add(
        {"kube-api-qps",
         "requests a second to the API server; 0: as many as it takes",
         "0",
         set_number(into.kube_api_qps)}
    );
    loader.add(
        {"kube-api-burst",
         "requests that --kube-api-qps lets go at once after a quiet time",
         "100",
         set_number(into.kube_api_burst)}
    );
    loader.add(
        {"gateway",
         "NAMESPACE/NAME of the Gateway that publishes the routes",
         "traefik/traefik-gateway",
         set_key(into.gateway)}
    );
    loader.add(
        {"gateway-section", "listener of that Gateway; empty for all", "", set_text(into.gateway_section)}
    );
    loader.add(
        {"gateway-controller",
         "controller of the gateway, whose word on a route counts",
         "traefik.io/gateway-controller",
         set_text(into.gateway_controller)}
    );
    loader.add(
        {"verifier-url",
         "where the gateway reaches the verifier; empty: the Service portitor-verifier in --namespace, port "
         "8080",
         "",
         set_url(into.verifier_url)}
    );
    loader.add(
        {"verifier-service",
         "NAMESPACE/NAME of the verifier's Service; named, an offer is ready only while it has a ready "
         "endpoint",
         "",
         set_key(into.verifier_service)}
    );
    loader.add(
        {"gateway-url",
         "controller: the gateway from inside the cluster, to prove that it refuses unpaid requests",
         "",
         set_url(into.gateway_url)}
    );
    loader.add(
        {"discovery-service",
         "controller: NAMESPACE/NAME[:PORT] of its own Service; named, the gateway publishes the discovery "
         "documents from there",
         "",
         set_service_port(into.discovery_service)}
    );
    loader.add(
        {"public-url",
         "where buyers reach the gateway, such as https://api.example.com",
         "",
         set_url(into.public_url)}
    );
    loader.add(
        {"default-facilitator",
         "the facilitator of offers that name none: a name of the list, or a URL",
         "https://x402.org/facilitator",
         set_text(into.default_facilitator)}
    );
    loader.add(
        {"allow-insecure-facilitator",
         "accept facilitators over http, on loopback or in the cluster",
         "false",
         set_bool(into.allow_insecure_facilitator),
         true}
    );
    loader.add({"offer-selector", "label selector of the offers to act on", "", set_text(into.offer_selector)}
    );
    loader.add(
        {"dry-run",
         "controller, release-finalizers: says what it would do, and writes nothing",
         "false",
         set_bool(into.dry_run),
         true}
    );
    loader.add(
        {"deletion-deadline",
         "controller: after how long a deleted offer is let go although its registration is not retired, or "
         "somebody else's finalizer holds a child",
         "5m",
         set_seconds(into.deletion_deadline)}
    );
    loader.add(
        {"until-done",
         "registrar: ends when every request that there is has been executed, as a Job does",
         "false",
         set_bool(into.until_done),
         true}
    );
    loader.add(
        {"threads",
         "verifier: threads that serve connections; 0: one for each core",
         "0",
         set_number(into.threads)}
    );
    loader.add(
        {"tls-cert-file",
         "verifier: certificate chain for --listen, PEM; without it plain HTTP. Read again as it changes",
         "",
         set_text(into.tls_cert_file)}
    );
    loader.add({"tls-key-file", "verifier: its private key, PEM", "", set_text(into.tls_key_file)});
    loader.add(
        {"cors-origins",
         "verifier: * or origins, separated by spaces, whose pages may pay; preflight requests from there "
         "then pass unpaid",
         "",
         set_text(into.cors_origins)}
    );
    loader.add(
        {"max-claims",
         "verifier: payments that are remembered; those that bought their answer make room for new ones",
         "100000",
         set_number(into.max_claims)}
    );
    loader.add(
        {"max-validity",
         "verifier: how long a payment may be valid, where maxTimeoutSeconds is not longer; 5 minutes more "
         "are "
         "allowed for clocks that differ",
         "60m",
         set_seconds(into.max_validity)}
    );
    loader.add(
        {"shutdown-delay",
         "verifier: how long it goes on serving after SIGTERM, not ready any more, so that no new requests "
         "come when it closes",
         "0s",
         set_seconds(into.shutdown_delay)}
    );
    loader.add(
        {"file", "once: a file with ServiceOffers, - for standard input", "", set_text(into.file), false, 'f'}
    );
    loader.add({"output", "once: text, yaml or json", "text", set_text(into.output), false, 'o'});
    loader.positional("NAMESPACE/NAME", "once: the offers to look at", into.offers);
    const auto section = [&loader](std::string name, section_reader read) {
        loader.add(config_section{std::move(name), read_list(std::move(read))});
    };
    section("facilitators", [&into](const YAML::Node& list) {
        return read_facilitators(list, into.facilitators);
    });
    section("credentials", [&into](const YAML::Node& list) {
        return read_credentials(list, into.credentials);
    });
    section("networks", [&into](const YAML::Node& list) { return read_networks(list, into.networks); });
    section("chains", [&into](const YAML::Node& list) { return read_chains(list, into.chains); });
    into.chains = built_in_chains();
    into.networks = x402::network_table::built_in();
}

result<void> check(settings& all)
{
    if (all.verifier_url.empty())
        all.verifier_url = fmt::format("http://portitor-verifier.{}.svc:8080", all.ns);
    // The default may be given as a URL for short: it then is the list's entry "default".
    if (all.default_facilitator.find("://") != std::string::npos)
    {
        std::string url;
        auto parsed = set_url(url)(all.default_facilitator);
        if (!parsed)
            return parsed.error().within("--default-facilitator");
        if (!all.find_facilitator("default"))
            all.facilitators.push_back({"default", url});
        all.default_facilitator = "default";
    }
    if (!all.find_facilitator(all.default_facilitator))
        return fail(
            errc::invalid,
            "--default-facilitator: \"{}\" is neither a URL nor a name of the list \"facilitators\"",
            all.default_facilitator
        );
    if (!all.discovery_service.service.name.empty() && all.gateway.name.empty())
        return fail(errc::invalid, "--discovery-service needs --gateway");
    if (all.tls_cert_file.empty() != all.tls_key_file.empty())
        return fail(errc::invalid, "--tls-cert-file and --tls-key-file go together");
    if (all.threads > 256)
        return fail(errc::invalid, "--threads: {} is more than 256", all.threads);
    if (all.max_claims == 0)
        return fail(errc::invalid, "--max-claims must be at least 1");
    for (const chain& each : all.chains)
    {
        if (each.registry.empty() && each.rpc_url.empty())
            return fail(errc::invalid, "chain {}: neither \"registry\" nor \"rpcURL\" is given", each.name);
        // What the node says is believed. Its URL is not told: there may be a key in it.
        const auto node = http::parse_url(each.rpc_url);
        if (node && node->origin.scheme == "http" &&
            !(all.allow_insecure_facilitator && is_local(node->origin.host)))
            return fail(
                errc::invalid,
                "chain {}: rpcURL is not https (http is accepted with --allow-insecure-facilitator, and only "
                "on loopback or for a name below .svc)",
                each.name
            );
    }
    for (const facilitator& each : all.facilitators)
    {
        const auto parsed = http::parse_url(each.url);
        if (parsed->origin.scheme == "http" &&
            !(all.allow_insecure_facilitator && is_local(parsed->origin.host)))
            return fail(
                errc::invalid,
                "facilitator {}: {} is not https (http is accepted with --allow-insecure-facilitator, and "
                "only on "
                "loopback or for a name below .svc)",
                each.name,
                each.url
            );
    }
    return {};
}

}  // namespace portitor::roles

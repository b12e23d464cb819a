#include "cli/sell/create_options.hpp"

#include "cli/output/text.hpp"
#include "cli/sell/offer_file.hpp"
#include "cli/sell/text_file.hpp"

#include <portitor/config/setters.hpp>

namespace portitor::cli::sell {

namespace json = boost::json;

namespace {

/// Writes labels over those that are there.
result<void> put_labels(const std::vector<std::string>& given, json::object& into)
{
    for (const std::string& each : given)
    {
        const std::size_t equals = each.find('=');
        if (equals == 0 || equals == each.npos)
            return fail(errc::invalid, "--label: \"{}\" is no label; write KEY=VALUE", printable(each, 200));
        into[each.substr(0, equals)] = each.substr(equals + 1);
    }
    return {};
}

}  // namespace

void create_options::declare(config::loader& into)
{
    into.positional(offer_word(name, false));
    flags.declare(into);
    const config::headed how = into.under("How");
    config::option from{
        "from-json",
        "a manifest or a spec, in JSON or YAML; flags go before it. - is standard input",
        "",
        config::set_text(file)};
    from.placeholder = "FILE";
    how.add(std::move(from));
    how.add(list_option("label", "label of the offer, such as the operator asks for", labels, "KEY=VALUE"));
    how.add(switch_option("dry-run", "checks, prints the manifest, and writes nothing", dry_run));
    waits.declare(how, "until it is sold", "60s");
    how.add(switch_option("force-conflicts", "takes over fields that somebody else has set", force_conflicts)
    );
    common.declare(into, {"name"});
}

result<void> create_options::resolve()
{
    auto resolved = common.resolve();
    json::object unused;
    if (resolved)
        resolved = put_labels(labels, unused);
    if (!resolved || !file.empty())
        return resolved;
    if (name.empty())
        return fail(errc::invalid, "NAME is missing: name of the offer");
    // What is wrong with the flags is told before anybody is asked for anything.
    const auto spec = flags.make_spec({});
    return spec ? result<void>() : spec.error();
}

result<json::object> create_options::make_manifest(const console& terminal) const
{
    written_offer base;
    if (!file.empty())
    {
        auto text = read_text(file, terminal.in);
        if (!text)
            return text.error().within("--from-json");
        auto read = read_offer_file(*text);
        if (!read)
            return read.error().within("--from-json " + file);
        base = std::move(*read);
    }
    if (!name.empty() && !base.name.empty() && name != base.name)
        return fail(
            errc::invalid,
            "NAME is {}, and --from-json names {}: write one of them",
            printable(name, 100),
            printable(base.name, 100)
        );
    kube::object_key key{common.ns, name.empty() ? base.name : name};
    if (key.ns.empty())
        key.ns = base.ns.empty() ? terminal.default_namespace : base.ns;
    if (key.name.empty())
        return fail(errc::invalid, "NAME is missing: name of the offer");
    auto spec = flags.make_spec(std::move(base.spec));
    if (!spec)
        return spec.error();
    if (auto put = put_labels(labels, base.labels); !put)
        return put.error();
    json::object meta{{"name", key.name}, {"namespace", key.ns}};
    if (!base.labels.empty())
        meta["labels"] = std::move(base.labels);
    if (!base.annotations.empty())
        meta["annotations"] = std::move(base.annotations);
    return json::object{
        {"apiVersion", api::service_offer_resource.api_version()},
        {"kind", api::service_offer_resource.kind},
        {"metadata", std::move(meta)},
        {"spec", std::move(*spec)}};
}

}  // namespace portitor::cli::sell

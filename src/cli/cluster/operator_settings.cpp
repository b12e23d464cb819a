#include "cli/cluster/operator_settings.hpp"

#include <portitor/api/resources.hpp>
#include <portitor/config/common_options.hpp>
#include <portitor/config/setters.hpp>

namespace portitor::cli {

namespace {

namespace asio = boost::asio;

constexpr const char* config_name = "portitor-config";
constexpr const char* config_key = "portitor.yaml";

}  // namespace

void operator_settings::declare(config::loader& into)
{
    into.add_shared([this](config::loader& shared) {
        shared.layered([&] {
            plan_.gateway.declare_gateway(shared);
            plan_.lists.declare(shared);
            shared.add(config::gate_key_file_option(gate_key_file_));
            shared.add(config::offer_selector_option(offer_selector_));
        });
        shared.under("Operator's settings")
            .add(
                {"release-namespace",
                 "namespace of Portitor's release: its ConfigMap portitor-config is read where no --config "
                 "is given",
                 "portitor",
                 config::set_text(release_namespace_)}
            );
    });
}

result<void> operator_settings::resolve()
{
    plan_.gateway.ns = release_namespace_;
    // Nobody but the roles has the key.
    plan_.gate_key_elsewhere = true;
    acted_on_ = nullptr;
    if (!offer_selector_.empty())
    {
        auto read = kube::make_predicate("", offer_selector_, "");
        if (!read)
            return read.error().within("--offer-selector");
        acted_on_ = std::move(*read);
    }
    return config::resolve_all(plan_.gateway, plan_.lists);
}

asio::awaitable<result<void>> operator_settings::complete(kube::api& server, console terminal)
{
    if (terminal.has_config_file)
    {
        source_ = "--config";
        note_known();
        co_return result<void>();
    }
    const kube::object_key key{release_namespace_, config_name};
    const auto found = co_await server.get(api::config_map_resource, key);
    if (!found)
    {
        source_ = fmt::format(
            "defaults: the ConfigMap {} {}; name its namespace with --release-namespace, or give --config",
            key.to_string(),
            found.error().is_not_found() ? "is not there" : "cannot be read: " + found.error().message()
        );
        co_return result<void>();
    }
    // The key holds a point, so it is no path.
    const auto* text = kube::object_at((*found)->raw, "data").if_contains(config_key);
    if (!text || !text->is_string())
    {
        source_ = fmt::format("defaults: the ConfigMap {} has no {}", key.to_string(), config_key);
        co_return result<void>();
    }
    const std::string where = "the ConfigMap " + key.to_string();
    const auto read = terminal.read_settings(std::string(text->get_string()), where);
    if (!read)
    {
        source_ = "defaults: " + where + " is refused";
        co_return read.error().within("the operator's settings");
    }
    source_ = where;
    note_known();
    co_return result<void>();
}

std::string operator_settings::why_left_out(const boost::json::object& offer) const
{
    if (!acted_on_ || acted_on_(offer))
        return {};
    return fmt::format(
        "the operator's offer-selector ({}) leaves it out, so the controller does not look at it; give the "
        "offer the labels that it asks for",
        offer_selector_
    );
}

void operator_settings::note_known()
{
    known_ = true;
    plan_.gate_key_elsewhere = !gate_key_file_.empty();
}

}  // namespace portitor::cli

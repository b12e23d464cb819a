#include "cli/sell/offer_file.hpp"

#include "cli/output/text.hpp"
#include "cli/yaml.hpp"

#include <portitor/api/resources.hpp>

namespace portitor::cli::sell {

namespace json = boost::json;

result<written_offer> read_offer_file(const std::string& text)
{
    auto documents = parse_yaml(text);
    if (!documents)
        return documents.error();
    if (documents->size() != 1 || !documents->front().is_object())
        return fail(errc::invalid, "it must hold one ServiceOffer, or the spec of one");
    json::object& document = documents->front().get_object();
    written_offer out;
    if (!document.contains("kind") && !document.contains("apiVersion") && !document.contains("metadata") &&
        !document.contains("spec"))
    {
        out.spec = std::move(document);
        return out;
    }
    const std::string kind = kube::string_at(document, "kind");
    const std::string version = kube::string_at(document, "apiVersion");
    if (kind != api::service_offer_resource.kind || version != api::service_offer_resource.api_version())
        return fail(
            errc::invalid,
            "it holds \"{}\" of \"{}\", and not a {} of {}",
            printable(kind, 100),
            printable(version, 100),
            api::service_offer_resource.kind,
            api::service_offer_resource.api_version()
        );
    out.name = kube::string_at(document, "metadata.name");
    out.ns = kube::string_at(document, "metadata.namespace");
    out.labels = kube::object_at(document, "metadata.labels");
    out.annotations = kube::object_at(document, "metadata.annotations");
    out.spec = kube::object_at(document, "spec");
    return out;
}

}  // namespace portitor::cli::sell

#include "kube/yaml_fields.hpp"
#include "schema/crd_texts.hpp"
#include "schema/node.hpp"
#include "schema/shown.hpp"
#include "schema/validator.hpp"

#include <portitor/schema/crd_schema.hpp>

#include <boost/json/value_to.hpp>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <map>

namespace portitor::schema {

namespace json = boost::json;

struct crd_schema::content
{
    std::string kind, api_version;
    std::unique_ptr<const node> root;
};

const std::vector<std::string_view>& crd_kinds()
{
    static const std::vector<std::string_view> kinds{"ServiceOffer", "PaymentRoute", "RegistrationRequest"};
    return kinds;
}

std::string_view crd_text(std::string_view kind)
{
    if (kind == "ServiceOffer")
        return service_offer_crd;
    if (kind == "PaymentRoute")
        return payment_route_crd;
    return kind == "RegistrationRequest" ? registration_request_crd : std::string_view();
}

const crd_schema& crd_schema::load(std::string_view kind)
{
    static const auto all = [] {
        std::map<std::string_view, crd_schema> out;
        for (const std::string_view each : crd_kinds())
            out.emplace(each, parse(std::string(crd_text(each))).value());
        return out;
    }();
    return all.at(kind);
}

namespace {

// What every object has and the schema does not say: rules may look at it, the values are checked elsewhere.
void add_common_members(node& root)
{
    for (const char* const name : {"apiVersion", "kind", "metadata"})
    {
        node common;
        common.keeps_unknown = true;
        root.properties.insert_or_assign(name, std::move(common));
    }
}

result<std::unique_ptr<node>> read_version(const json::value& version)
{
    // What has a status by itself is what this library takes for granted.
    for (const char* const needed : {"/schema/openAPIV3Schema", "/subresources/status"})
    {
        boost::system::error_code ec;
        const json::value* found = version.find_pointer(needed, ec);
        if (!found || !found->is_object())
            return fail(errc::invalid, "a CRD without {}", needed);
    }
    auto root = read_schema(version.at_pointer("/schema/openAPIV3Schema").get_object());
    if (root)
        add_common_members(**root);
    return root;
}

}  // namespace

result<crd_schema> crd_schema::parse(const std::string& yaml)
{
    try
    {
        const json::value crd = kube::to_json(YAML::Load(yaml));
        const json::value& spec = crd.at("spec");
        const json::array& versions = spec.at("versions").as_array();
        if (versions.size() != 1)
            return fail(errc::invalid, "a CRD with {} versions, where one is known", versions.size());
        auto made = std::make_shared<content>();
        made->kind = json::value_to<std::string>(spec.at_pointer("/names/kind"));
        made->api_version = json::value_to<std::string>(spec.at("group")) + '/' +
                            json::value_to<std::string>(versions[0].at("name"));
        auto root = read_version(versions[0]);
        if (!root)
            return root.error().within("the CRD of " + made->kind);
        made->root = std::move(*root);
        return crd_schema(std::move(made));
    }
    catch (const kube::bad_configuration& thrown)
    {
        return fail(errc::invalid, "a CRD that {}", thrown.what);
    }
    catch (const std::exception& thrown)
    {
        return fail(errc::invalid, "no CRD: {}", thrown.what());
    }
}

namespace {

void check_type(
    const json::object& object, const std::string& member, const std::string& wanted, problem_list& into
)
{
    const json::value* found = object.if_contains(member);
    if (!found || *found != json::value(wanted))
        into.add(
            found ? fault::invalid : fault::required, member, "must be " + wanted, found ? shown(*found) : ""
        );
}

}  // namespace

std::vector<problem> crd_schema::validate(const json::object& object) const
{
    problem_list found;
    check_type(object, "apiVersion", content_->api_version, found);
    check_type(object, "kind", content_->kind, found);
    check_metadata(object, found);
    check_unknown_fields(object, *content_->root, found);
    json::object complete = object;
    complete.erase("status");
    set_defaults(complete, *content_->root);
    check_values(complete, *content_->root, found);
    return std::move(found).take();
}

void crd_schema::apply_defaults(json::object& object) const
{
    json::value status;
    const json::value* found = object.if_contains("status");
    const bool has_status = found;
    if (found)
    {
        status = *found;
        object.erase("status");
    }
    set_defaults(object, *content_->root);
    if (has_status)
        object["status"] = std::move(status);
}

const std::string& crd_schema::kind() const
{
    return content_->kind;
}

const std::string& crd_schema::api_version() const
{
    return content_->api_version;
}

}  // namespace portitor::schema

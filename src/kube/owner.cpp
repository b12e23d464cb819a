#include <portitor/kube/owner.hpp>

namespace portitor::kube {

result<boost::json::object> make_controller_reference(
    const resource& kind, const object_identity& owner, const std::string& child_namespace
)
{
    // A cluster-scoped owner may own anywhere.
    if (!owner.ns.empty() && owner.ns != child_namespace)
        return fail(
            errc::invalid,
            "{} {} cannot own an object in {}: the garbage collector would delete it",
            kind.kind,
            owner.key().to_string(),
            child_namespace.empty() ? "no namespace" : "the namespace " + child_namespace
        );
    if (owner.uid.empty() || owner.name.empty())
        return fail(errc::invalid, "an owner of the kind {} without a name or a UID", kind.kind);
    return boost::json::object{
        {"apiVersion", kind.api_version()},
        {"kind", std::string(kind.kind)},
        {"name", owner.name},
        {"uid", owner.uid},
        {"controller", true},
        {"blockOwnerDeletion", true},
    };
}

}  // namespace portitor::kube

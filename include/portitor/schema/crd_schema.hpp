#pragma once

#include <portitor/core/error.hpp>
#include <portitor/schema/problem.hpp>

#include <boost/json/object.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::schema {

/// The kinds whose CRDs are compiled in: ServiceOffer, PaymentRoute, RegistrationRequest.
const std::vector<std::string_view>& crd_kinds();

/// The CRD of a kind in YAML, byte for byte as the chart has it; empty for a kind that is none of
/// crd_kinds().
std::string_view crd_text(std::string_view kind);

/// The schema and the rules of a CustomResourceDefinition, which judge an object as the API server would,
/// without one. Immutable, for any thread.
class crd_schema
{
public:
    /// The schema of a kind that is compiled in; read at the first call. @pre `kind` is one of crd_kinds()
    static const crd_schema& load(std::string_view kind);

    /// Reads a CRD with one version. errc::invalid where it has a keyword, a format, or something in a rule
    /// that is not known here: nothing is passed over in silence.
    static result<crd_schema> parse(const std::string& yaml);

    /// What the API server would say of a request to create the object under strict field validation, all of
    /// it at once, 50 problems at most. Defaults are taken for set. Rules that compare with an older object
    /// do not apply; metadata.namespace may be missing; `status` is looked at for unknown fields only,
    /// because a new object has none. Empty: it would be taken, as far as schema and rules go.
    std::vector<problem> validate(const boost::json::object& object) const;

    /// Sets the defaults of the schema where fields are missing, and takes nulls away that mean "missing", as
    /// the API server does when it reads an object. `status` and what the schema does not know stay as is.
    void apply_defaults(boost::json::object& object) const;

    const std::string& kind() const;

    /// "obol.org/v1alpha1"
    const std::string& api_version() const;

private:
    struct content;
    explicit crd_schema(std::shared_ptr<const content> from) : content_(std::move(from)) {}

    std::shared_ptr<const content> content_;
};

}  // namespace portitor::schema

#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/error.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::kube {

/// A kind that the API server knows: enough to build its paths and its manifests.
struct resource
{
    std::string_view group;    ///< empty for the core group
    std::string_view version;  ///< "v1alpha1"
    std::string_view plural;   ///< "serviceoffers"
    std::string_view kind;     ///< "ServiceOffer"

    /// "group/version", or "version" for the core group.
    std::string api_version() const;
};

/// Namespace and name of an object.
struct object_key
{
    std::string ns;
    std::string name;

    auto operator<=>(const object_key&) const = default;
    std::string to_string() const { return ns.empty() ? name : ns + "/" + name; }
};

struct owner_reference
{
    std::string api_version;
    std::string kind;
    std::string name;
    std::string uid;
    bool controller = false;
};

/// Which object, and which state of it.
struct object_identity
{
    std::string ns;
    std::string name;
    std::string uid;
    std::string resource_version;
    std::int64_t generation = 0;

    object_key key() const { return {ns, name}; }
};

/// The fields of ObjectMeta that a controller decides on.
struct object_meta : object_identity
{
    clock::time_point created{};
    std::optional<clock::time_point> deleted;  ///< deletionTimestamp
    std::vector<std::string> finalizers;
    std::vector<owner_reference> owners;

    bool has_finalizer(std::string_view name_of_it) const;

    /// The owner whose `controller` is true, or nullptr.
    const owner_reference* controller() const;
};

/// An object as the API server sent it, without managedFields. Immutable once shared.
struct object
{
    object_meta meta;
    boost::json::object raw;
    /// Why it could not be read in full; empty where it could. Then raw may lack anything but what meta
    /// holds: decide nothing by it.
    std::string unreadable = {};

    /// `spec`, or an empty object.
    const boost::json::object& spec() const;
    /// `status`, or an empty object.
    const boost::json::object& status() const;
};

using object_ptr = std::shared_ptr<const object>;

/// Reads metadata; errc::protocol where metadata.name is missing.
result<object_meta> parse_meta(const boost::json::object& raw);

/// Reads which object it is, as far as that can be told; into what is there already, so without an allocation
/// where its texts are no longer.
void read_identity(const boost::json::object& raw, object_identity& into);

/// Reads metadata and keeps the rest as it is, without managedFields.
result<object_ptr> parse_object(boost::json::object raw);
/// The same of an object that could not be read in full; see object::unreadable.
result<object_ptr> parse_unreadable(boost::json::object raw, std::string why);

/// What is applied to the status subresource of an object that exists: the uid keeps it from meaning another
/// one of the same name.
boost::json::object make_status(const resource& kind, const object_identity& of, boost::json::object status);

/// Whether a resourceVersion comes before another one of the same kind: as integers of any length (KEP-5504).
/// An empty one comes before none.
bool is_older(std::string_view version, std::string_view than);

/// A condition as in metav1.Condition.
struct condition
{
    std::string type;
    std::string status;  ///< "True", "False" or "Unknown"
    std::string reason;  ///< CamelCase, stable
    std::string message;
    std::int64_t observed_generation = 0;
    std::string last_transition_time;  ///< RFC 3339; kept by keep_transition_times()

    bool is_true() const { return status == "True"; }
};

/// Reads a list of conditions; entries without a type are left out.
std::vector<condition> parse_conditions(const boost::json::object& status);
boost::json::object to_json(const condition& value);

/// Gives each wanted condition the lastTransitionTime of its predecessor in `live` where the status is the
/// same, and `now` where it moved.
void keep_transition_times(
    std::vector<condition>& wanted, const std::vector<condition>& live, clock::time_point now
);

const condition* find_condition(const std::vector<condition>& conditions, std::string_view type);

/// JSON access that never throws: the value at a dotted path, or null pointer.
const boost::json::value* find_path(const boost::json::object& root, std::string_view dotted_path);
/// The string at a dotted path; empty where there is none.
std::string string_at(const boost::json::object& root, std::string_view dotted_path);
/// The integer at a dotted path, or the default given.
std::int64_t
int_at(const boost::json::object& root, std::string_view dotted_path, std::int64_t otherwise = 0);
bool bool_at(const boost::json::object& root, std::string_view dotted_path, bool otherwise = false);

/// The string at a dotted path, or the default where there is none or an empty one.
std::string
string_or(const boost::json::object& root, std::string_view dotted_path, std::string_view otherwise);
/// The object or the list at a dotted path; an empty one where there is none.
const boost::json::object& object_at(const boost::json::object& root, std::string_view dotted_path);
const boost::json::array& array_at(const boost::json::object& root, std::string_view dotted_path);
/// The value as an object; an empty one where it is none.
const boost::json::object& as_object(const boost::json::value& value);

/// `metadata.labels`, or an empty object.
const boost::json::object& labels_of(const object& of);

/// Whether `live` already holds every field of `wanted`: objects may hold more, arrays must have the same
/// length.
bool contains(const boost::json::value& live, const boost::json::value& wanted);

}  // namespace portitor::kube

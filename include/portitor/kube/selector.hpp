#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/object.hpp>

#include <functional>
#include <string>

namespace portitor::kube {

/// A predicate on whole objects.
using object_predicate = std::function<bool(const boost::json::object&)>;

/// What a list or a watch selects: a namespace (empty: all), a label selector, and a field selector on any
/// field, by its dotted path. errc::invalid for a requirement that is none. The real API server takes only
/// metadata.name, metadata.namespace and what a CRD names under selectableFields.
result<object_predicate>
make_predicate(const std::string& ns, const std::string& labels, const std::string& fields);

}  // namespace portitor::kube

#pragma once

#include "cli/doctor/patient.hpp"

#include <portitor/kube/object.hpp>

#include <boost/json/object.hpp>

#include <optional>
#include <set>
#include <string>
#include <vector>

namespace portitor::cli::doctor {

/// So much of a collection is looked at.
inline constexpr std::size_t most_objects = 5'000;

/// The objects of a kind, the first `most_objects` of them, whole; see kube::list_objects().
boost::asio::awaitable<kube::api_result<std::vector<kube::object_ptr>>>
list(kube::api& server, kube::resource kind, kube::selection which);

/// What an area did not see of a list: "the first 5000 are looked at"; which ones cannot be read in full.
/// Empty where it saw all.
std::string left_out(const std::vector<kube::object_ptr>& listed);

/// The namespaces that have offers; nothing where the offers cannot be read.
std::optional<std::set<std::string>> selling_namespaces(const patient& of);

/// A text as a JSON object; nothing where it is none.
std::optional<boost::json::object> read_object(std::string_view text);

/// Asks the API server for any path. errc::refused with the status where the answer is not 2xx;
/// errc::protocol where it is no JSON object.
boost::asio::awaitable<result<boost::json::object>>
ask(kube::api& server, http::verb method, std::string target, std::string body = {});

/// "NAME.NAMESPACE.svc…" of a URL's host as a Service; an empty name where it is none.
kube::object_key service_of(std::string_view host);

/// A version in a text such as "v1.33.2" or "3.6", where it begins with one.
struct version_number
{
    unsigned major = 0;
    unsigned minor = 0;

    auto operator<=>(const version_number&) const = default;
};
std::optional<version_number> read_version(std::string_view text);

/// Whether labels satisfy a metav1.LabelSelector; what is not known in it is not satisfied.
bool selects(const boost::json::object& selector, const boost::json::object& labels);

/// How long ago something was that others wrote down; negative: it is to come.
clock::time_point::duration age_of(const patient& of, clock::time_point then);

/// Milliseconds since then.
long long since(const timekeeper& time, timekeeper::time_point then);

/// "took 12 ms".
std::string took(long long milliseconds);

}  // namespace portitor::cli::doctor

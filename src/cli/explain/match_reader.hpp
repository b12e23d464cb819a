#pragma once

#include "cli/explain/request_target.hpp"

#include <portitor/kube/object.hpp>

#include <string>
#include <vector>

namespace portitor::cli::explain {

/// One match of a rule of an HTTPRoute, held against a request. Both must outlive it.
class match_reader
{
public:
    match_reader(const boost::json::object& match, const request_target& request);

    /// Whether it takes the request, as far as that is known; the rest is in conditions(). Call it once,
    /// first.
    bool fits();

    /// What the request must have beside, in words; empty: nothing. Call it once.
    std::string conditions();

    std::string path_in_words() const { return fmt::format("{} {}", type_, value_); }
    std::string method() const { return kube::string_at(match_, "method"); }
    bool has_queries() const { return count("queryParams") > 0; }

    /// Traefik's own reckoning, pkg/provider/kubernetes/gateway: 100 000 for an exact path, 1 for the prefix
    /// "/", 10 000 and 100 a character for another path, 1 000 for a method, 100 a header, 10 a query.
    long priority() const;

    /// The Gateway API, HTTPRouteRule.matches: kind and length of the path, method, headers, queries; the
    /// greatest comes first.
    std::vector<long> rank() const;

private:
    long length() const { return static_cast<long>(value_.size()); }
    long count(const char* list) const;
    bool fits_path();
    bool fits_queries();

    const boost::json::object& match_;
    const request_target& request_;
    const std::string type_;
    const std::string value_;
    std::vector<std::string> wanted_;
};

}  // namespace portitor::cli::explain

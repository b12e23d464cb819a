#pragma once

#include <portitor/kube/object.hpp>

#include <string>
#include <string_view>

namespace portitor::offer {

/// Where on the gateway an offer is published, in the spelling that places are compared in: without regard to
/// case, empty segments and a slash at the end. Gateways tell such paths apart; people and many services do
/// not.
struct place
{
    std::string host;  ///< lower-case; empty: none of its own
    std::string path;  ///< lower-case; "/", or without a slash at the end

    bool operator==(const place&) const = default;
};

/// The place that an offer asks for. Never fails: what is written otherwise than the schema allows is taken
/// as well as it can be, so that a typo elsewhere in the spec does not move an offer.
place place_of(const kube::object& offer);

/// A path in the spelling that places are compared in.
std::string normal_path(std::string_view path);

/// Whether `path` is `above` or lies below it; both in normal spelling.
bool is_at_or_below(std::string_view path, std::string_view above);

/// Whether a request can be for both hosts; "" is every host, "*.example.com" every one below example.com.
bool hosts_overlap(std::string_view left, std::string_view right);

/// Paths that the gateway's own documents and the operator use on every host, and "/" of the public ones.
bool is_reserved(const place& where);

}  // namespace portitor::offer

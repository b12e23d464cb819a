#pragma once

#include "roles/controller/discovery/catalogue.hpp"

#include <portitor/http/server.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace portitor::controller {

/// Whether an If-None-Match value names this entity tag: "*", or one of a list, compared weakly (RFC 9110,
/// 13.1.2). What follows a malformed entry is not read.
bool names_tag(std::string_view if_none_match, std::string_view etag);

/// Answers requests for the discovery documents; every other one is 404. Nothing of a request comes back in
/// an answer. One strand.
class discovery_front
{
public:
    struct parts
    {
        /// Whether all stores were filled once. Before that every document is 503.
        std::function<bool()> synced;
        /// The offer with that UID; an empty name where there is none.
        std::function<kube::object_key(const std::string& uid)> find_offer;
        /// Bytes of answers that may be under way at once; with more, 503. One always may.
        std::size_t most_under_way = 64 * 1024 * 1024;
        /// Whose documents a request's host gets: an offer's own host, the empty one for a public host;
        /// nothing where it is neither. Not given: every host is public.
        std::function<std::optional<std::string>(std::string_view host)> find_host = {};
    };

    discovery_front(catalogue& documents, parts around) : documents_(documents), around_(std::move(around)) {}

    http::reply answer(const http::server_request& message);

private:
    std::optional<std::string> host_of(const http::server_request& message) const;
    document_ptr find(std::string_view path, const std::string& host);
    http::reply deliver(document_ptr found);

    catalogue& documents_;
    parts around_;
    // Shared with answers that are being written, whoever goes first.
    std::shared_ptr<std::size_t> under_way_ = std::make_shared<std::size_t>(0);
};

}  // namespace portitor::controller

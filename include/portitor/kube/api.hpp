#pragma once

#include <portitor/core/http.hpp>
#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/kube/credentials.hpp>
#include <portitor/kube/object.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace portitor::kube {

/// A refusal or failure of the API server, with what its Status said.
class api_error
{
public:
    api_error() = default;
    /// Never reached, or no answer that is one.
    explicit api_error(const error& transport) : code_(transport.code()), message_(transport.message()) {}
    /// An answer with this HTTP status.
    api_error(
        unsigned http_status, std::string reason, std::string message, std::chrono::seconds retry_after
    );

    errc code() const { return code_; }
    unsigned http_status() const { return http_status_; }  ///< 0 where there was no answer
    const std::string& reason() const { return reason_; }  ///< metav1.StatusReason: "Conflict", "Expired"…
    const std::string& message() const { return message_; }
    std::chrono::seconds retry_after() const { return retry_after_; }  ///< zero where the server named none

    bool is_not_found() const { return http_status_ == 404; }
    bool is_conflict() const { return http_status_ == 409; }
    /// 410, or a resource version that the server does not know (yet): list again from scratch.
    bool is_expired() const;

    error to_error() const { return {code_, message_}; }

private:
    errc code_{};
    unsigned http_status_ = 0;
    std::string reason_;
    std::string message_;
    std::chrono::seconds retry_after_{};
};

template <typename T>
using api_result = boost::system::result<T, api_error>;

[[noreturn]] inline void throw_exception_from_error(const api_error& failure, const boost::source_location&)
{
    throw std::runtime_error(failure.message());
}

/// What to select from a collection. Empty members do not restrict.
struct selection
{
    std::string ns;
    std::string labels;  ///< a label selector
};

/// One page of a list.
struct object_page
{
    std::vector<object_ptr> items;
    std::string resource_version;
    std::string continue_token;  ///< empty on the last page
};

/// The API server, as far as controllers need it. Requests are idempotent or guarded; none is repeated by
/// itself except reads. One strand.
class api
{
public:
    virtual ~api() = default;

    virtual boost::asio::awaitable<api_result<object_ptr>> get(resource kind, object_key key) = 0;

    /// Pages of 500. `resource_version` is only for a first page: "not older than".
    virtual boost::asio::awaitable<api_result<object_page>>
    list(resource kind, selection which, std::string resource_version, std::string continue_token) = 0;

    /// Opens a watch with bookmarks that the server ends after `timeout`.
    virtual boost::asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
    watch(resource kind, selection which, std::string resource_version, std::chrono::seconds timeout) = 0;

    /// Server-side apply, forced, strict. `wanted` names itself in metadata; put metadata.uid in where the
    /// object must exist. `subresource` is empty or "status". KEP-555.
    virtual boost::asio::awaitable<api_result<object_ptr>>
    apply(resource kind, boost::json::object wanted, std::string field_manager, std::string subresource) = 0;

    /// RFC 6902; guard it with `test` operations.
    virtual boost::asio::awaitable<api_result<object_ptr>>
    patch(resource kind, object_key key, boost::json::array operations) = 0;

    /// Deletes the object that has this UID; one that is gone or has been replaced is a success.
    virtual boost::asio::awaitable<api_result<void>>
    remove(resource kind, object_key key, std::string uid) = 0;

    /// Creates an object of which nobody else will ever be the owner, such as an Event.
    virtual boost::asio::awaitable<api_result<void>> create(resource kind, boost::json::object wanted) = 0;
};

/// A client of the real API server. errc::invalid when the certificates cannot be read.
result<std::unique_ptr<api>>
make_api(boost::asio::any_io_executor executor, connection_config server, logger log, metrics& numbers);

}  // namespace portitor::kube

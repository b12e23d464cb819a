#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/http/message.hpp>
#include <portitor/kube/api_error.hpp>
#include <portitor/kube/credentials.hpp>
#include <portitor/kube/object.hpp>
#include <portitor/kube/object_filter.hpp>
#include <portitor/kube/throttle.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/json/array.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace portitor::kube {

/// What to select from a collection. Empty members do not restrict.
struct selection
{
    std::string ns;
    std::string labels;          ///< a label selector
    std::string fields;          ///< a field selector
    bool metadata_only = false;  ///< PartialObjectMetadata: neither spec nor status
    /// What is built of the objects that come; null: all but what list_reader leaves out.
    std::shared_ptr<const object_filter> filter = {};
};

/// Which page of a list: the first one, "not older than" a version where one is given, or the one that a
/// continue token names.
struct list_position
{
    std::string resource_version;
    std::string continue_token;
};

/// One page of a list, without its items.
struct list_page
{
    std::string resource_version;
    std::string continue_token;  ///< empty on the last page
};

/// Takes one item of a list. It may be moved from, but its memory lasts only during the call: copy what is to
/// be kept. `cut` says in words what is missing of it because it is too large or too deep; empty: nothing. An
/// error ends the list.
using item_handler = std::function<result<void>(boost::json::object&& item, std::string_view cut)>;

struct apply_options
{
    std::string field_manager;
    std::string subresource;  ///< empty or "status"
    bool force = true;        ///< takes fields over from other managers
    bool dry_run = false;     ///< the answer as if, and nothing written
};

struct delete_options
{
    std::string uid;  ///< the object that is meant: another one of that name is left alone
    std::string resource_version = {};
    std::string propagation = "Background";  ///< or "Foreground", "Orphan"
};

/// The API server, as far as controllers need it. Reads are repeated where the connection broke, and anything
/// where the server asks for it (429 and 5xx with Retry-After); a write whose outcome is unknown never is.
/// One strand.
class api
{
public:
    virtual ~api() = default;

    virtual boost::asio::awaitable<api_result<object_ptr>>
    get(resource kind, object_key key, request_class urgency = request_class::normal) = 0;

    /// One page of at most 500 items, each handed over as soon as it has arrived.
    virtual boost::asio::awaitable<api_result<list_page>>
    list(resource kind, selection which, list_position from, item_handler each) = 0;

    /// Opens a watch with bookmarks that the server ends after `timeout`. Read it with an event_reader.
    virtual boost::asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
    watch(resource kind, selection which, std::string resource_version, std::chrono::seconds timeout) = 0;

    /// Server-side apply with strict field validation. `wanted` names itself in metadata and holds the owned
    /// fields only; put metadata.uid in where the object must exist. KEP-555.
    virtual boost::asio::awaitable<api_result<object_ptr>>
    apply(resource kind, boost::json::object wanted, apply_options how) = 0;

    /// RFC 6902; guard it with `test` operations.
    virtual boost::asio::awaitable<api_result<object_ptr>>
    patch(resource kind, object_key key, boost::json::array operations) = 0;

    /// Puts the whole object where the live one still has its metadata.resourceVersion; 409 otherwise.
    virtual boost::asio::awaitable<api_result<object_ptr>>
    replace(resource kind, boost::json::object whole, request_class urgency) = 0;

    /// 409 with reason AlreadyExists where the name is taken.
    virtual boost::asio::awaitable<api_result<object_ptr>>
    create(resource kind, boost::json::object wanted, request_class urgency) = 0;

    /// Deletes the object that is meant; one that is gone or has been replaced is a success.
    virtual boost::asio::awaitable<api_result<void>>
    remove(resource kind, object_key key, delete_options which) = 0;

    /// Any other request, such as GET /version, a review of rights, or a Service by way of the server's
    /// proxy. The answer whatever its status, at most 1 MiB of it; sent once. A body is JSON.
    /// errc::unavailable where the server is one in memory, which answers none.
    virtual boost::asio::awaitable<result<http::response>>
    ask(http::verb method, std::string target, std::string body = {});

    /// What the server's clock says by now: the Date of its answers, carried on by the timers; within two
    /// seconds. Nothing before the first answer.
    virtual std::optional<clock::time_point> server_time() const { return std::nullopt; }
};

/// A client of the real API server over HTTP/1.1: one connection for each watch, a bounded pool for the rest.
/// A certificate or key that cannot be read is the error of each request.
std::unique_ptr<api> make_api(
    boost::asio::any_io_executor executor,
    std::unique_ptr<credentials> who,
    throttle_settings limits,
    timekeeper& time,
    metrics& numbers
);

}  // namespace portitor::kube

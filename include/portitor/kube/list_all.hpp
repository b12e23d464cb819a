#pragma once

#include <portitor/core/stop_signal.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/watcher.hpp>

#include <cstddef>
#include <vector>

namespace portitor::kube {

/// Where a list ends that its server does not end. More than any cluster has of a kind; one object is bounded
/// by its reader (object_filter::largest).
struct list_bounds
{
    const stop_signal* stop = nullptr;  ///< who asks for the end; looked at with each object and page
    std::size_t objects = 100'000;
    bool cut = false;  ///< at so many objects it ends as if there were no more, and not as an error
    std::size_t pages = 10'000;
    std::size_t bytes = 1024UL * 1024 * 1024;  ///< of all keys and texts that the reader let through
};

/// Hands over all of one selection, page by page. An error of `each` ends it, and so does a bound:
/// errc::protocol says which, errc::canceled that it was stopped.
boost::asio::awaitable<api_result<void>>
list_each(api& server, resource kind, selection which, item_handler each, list_bounds bounds = {});

/// Gives a target all that is there of a kind at this moment, once: for who does not watch. `parts` are read
/// one after the other, such as one for each of several namespaces. A list that the server forgot on the way
/// is begun anew, three times at most; any other failure is the caller's, and leaves the target as it was.
/// Each part has these bounds.
boost::asio::awaitable<api_result<void>> list_all(
    api& server, resource kind, std::vector<selection> parts, watch_target& target, list_bounds bounds = {}
);

/// The same as objects of one's own, whole, in the order in which they come. One that is too large or too
/// deep is there and says so: object::unreadable. What has no identity is left out.
boost::asio::awaitable<api_result<std::vector<object_ptr>>>
list_objects(api& server, resource kind, std::vector<selection> parts, list_bounds bounds = {});

}  // namespace portitor::kube

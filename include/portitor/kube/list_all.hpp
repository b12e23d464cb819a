#pragma once

#include <portitor/kube/api.hpp>
#include <portitor/kube/watcher.hpp>

#include <limits>
#include <vector>

namespace portitor::kube {

/// Gives a target all that is there of a kind at this moment, once: for who does not watch. `parts` are read
/// one after the other, such as one for each of several namespaces. A list that the server forgot on the way
/// is begun anew, three times at most; any other failure is the caller's, and leaves the target as it was.
boost::asio::awaitable<api_result<void>>
list_all(api& server, resource kind, std::vector<selection> parts, watch_target& target);

/// The same as objects of one's own, whole, in the order in which they come, and no more than `most`. One
/// that is too large or too deep is there and says so: object::unreadable. What has no identity is left out.
boost::asio::awaitable<api_result<std::vector<object_ptr>>> list_objects(
    api& server,
    resource kind,
    std::vector<selection> parts,
    std::size_t most = std::numeric_limits<std::size_t>::max()
);

}  // namespace portitor::kube

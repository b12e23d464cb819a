#pragma once

#include "offer/observation.hpp"
#include "roles/controller/poller.hpp"

#include <portitor/http/client.hpp>

namespace portitor::controller {

/// Whether upstreams answer, by the URL that is asked.
using upstream_poller = poller<std::string, offer::probe_result>;

/// GET: 2xx is healthy, a redirect is not followed and is not healthy, the body is not read. Asked every
/// `period`, sooner after a failure. The client must outlive it.
upstream_poller::question ask_upstream(http::client& client, std::chrono::milliseconds period);

}  // namespace portitor::controller

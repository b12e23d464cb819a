#pragma once

#include "offer/observation.hpp"
#include "roles/controller/poller.hpp"

#include <portitor/http/client.hpp>
#include <portitor/x402/networks.hpp>

namespace portitor::controller {

/// Which networks facilitators serve, by their URL.
using facilitator_poller = poller<std::string, offer::facilitator_word>;

/// GET /supported. That a network is not served any more counts once two answers in a row say so, and that
/// nothing is known any more after three failures: offers come and go with it. Both must outlive it.
facilitator_poller::question ask_facilitator(http::client& client, const x402::network_table& known);

}  // namespace portitor::controller

#pragma once

#include "offer/observation.hpp"
#include "offer/questions.hpp"
#include "roles/controller/poller.hpp"

#include <portitor/http/client.hpp>

namespace portitor::controller {

/// Whether the gate stands before offers, seen from where buyers come.
using gate_poller = poller<offer::proof_target, offer::gate_proof>;

/// Asks the gateway for a path of the offer, without a payment. A refusal that bears the offer's name proves
/// the gate; a 2xx proves that there is none. Just after a change neither counts for a while: the gateway
/// takes its time. Asked again every five minutes, sooner after a failure; two failures in a row count. The
/// client must outlive it.
gate_poller::question ask_gateway(http::client& client);

}  // namespace portitor::controller

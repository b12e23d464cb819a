#pragma once

#include "offer/observation.hpp"
#include "offer/questions.hpp"
#include "roles/controller/poller.hpp"

#include <portitor/http/client.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace portitor::controller {

/// Whether the gate stands before offers, seen from where buyers come.
using gate_poller = poller<offer::proof_target, offer::gate_proof>;

/// Words for a rule of somebody else that the gateway may prefer for that host and path; empty: none.
using preference = std::function<
    std::string(const offer::proof_target& about, std::string_view host, std::string_view path)>;

/// Asks the gateway for a path of the offer that nobody can guess, without a payment. A refusal that bears
/// the offer's name proves the gate; a 2xx that no rule of somebody else explains proves that there is none.
/// Just after a change neither counts for a while: the gateway takes its time. Asked again every five
/// minutes, sooner after a failure; two failures in a row count. The client must outlive it.
gate_poller::question ask_gateway(http::client& client, preference find_other = {});

}  // namespace portitor::controller

#pragma once

#include "offer/observation.hpp"
#include "offer/questions.hpp"
#include "roles/controller/poller.hpp"

#include <portitor/http/client.hpp>

namespace portitor::controller {

/// Whether runtimes list the models that offers sell.
using model_poller = poller<offer::model_target, offer::model_listing>;

/// The list of the runtime: ollama's `/api/tags`, for others an OpenAI-style `/v1/models`. The client must
/// outlive it.
model_poller::question ask_for_model(http::client& client);

}  // namespace portitor::controller

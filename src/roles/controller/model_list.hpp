#pragma once

#include "offer/questions.hpp"

#include <portitor/core/error.hpp>

#include <string_view>

namespace portitor::controller {

/// Whether a runtime lists its models as ollama does (/api/tags), and not as OpenAI (/v1/models).
bool is_ollama(const offer::model_target& about);

/// Whether a runtime's answer lists the model. errc::protocol for what is no list of models, which is
/// not quoted. Keeps nothing of it:
/// what sellers let answer may be long, and the controller has one thread for all.
result<bool> lists_model(const offer::model_target& about, std::string_view answer);

}  // namespace portitor::controller

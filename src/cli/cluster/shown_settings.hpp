#pragma once

#include "offer/observation.hpp"
#include "offer/plan_settings.hpp"

namespace portitor::cli {

/// The operator's settings as the live objects of one offer show them, for who does not know the
/// installation's: the Gateway, the verifier's URL, the public URL, the facilitator, the network and its
/// token, the credential and the chain. What no object shows, and what was given by flags, stays as in
/// `given`.
/// @param before the offer as the objects were made for it: where one of a file stands in its place, the live
/// one
offer::plan_settings shown_settings(
    const offer::plan_settings& given, const offer::observation& seen, const offer::offer_record& before
);

/// Whether there are objects that show them.
bool shows_settings(const offer::observation& seen);

}  // namespace portitor::cli

#pragma once

#include "cli/once/dry_run.hpp"
#include "cli/once/files.hpp"

#include <portitor/kube/object.hpp>

#include <string>
#include <vector>

namespace portitor::cli::once {

/// An offer of a file, as it would stand in the cluster once it is applied.
struct wanted_offer
{
    kube::object_key key;
    std::string from;                   ///< the file
    boost::json::object written;        ///< as it would be applied: nothing that only the API server writes
    boost::json::object whole;          ///< with what the API server would add, and the live status
    kube::object_ptr live;              ///< that it takes the place of; null where there is none
    bool differs = true;                ///< from the live one, in its spec
    std::vector<std::string> problems;  ///< why it would be refused; then it takes nobody's place
    std::string passed_over;            ///< why the controller would not look at it; empty: it would
};

/// Completes an offer from the live one of its name (null: there is none), and checks it by the schema. What
/// is new has a uid that is made up, the same for the same name.
wanted_offer make_wanted(written_offer written, kube::object_ptr live, clock::time_point now);

/// The offers of files, as they would stand in that cluster (null: there is none). errc of the API server
/// where the live ones cannot be read.
boost::asio::awaitable<result<std::vector<wanted_offer>>>
complete_offers(kube::api* server, std::vector<written_offer> written, clock::time_point now);

}  // namespace portitor::cli::once

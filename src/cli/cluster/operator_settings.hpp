#pragma once

#include "cli/command.hpp"
#include "offer/plan_settings.hpp"

#include <portitor/config/loader.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/selector.hpp>

#include <boost/asio/awaitable.hpp>

#include <string>

namespace portitor::cli {

/// What the operator of an installation has set, for commands that judge as its roles do. It comes from
/// --config; else from the ConfigMap portitor-config of the release's namespace, where rights allow; else
/// nobody knows it, and the defaults stand in.
class operator_settings
{
public:
    void declare(config::loader& into);
    result<void> resolve();

    /// Reads the ConfigMap where no --config was given. What it says and cannot be taken is an error, with
    /// line and key, and then all settings are as they were; that it is not there, or may not be read, is
    /// only told by source().
    boost::asio::awaitable<result<void>> complete(kube::api& server, console terminal);

    /// Whether they are the installation's, and not only defaults.
    bool known() const { return known_; }
    /// Where they are from, in words: "--config", "the ConfigMap portitor/portitor-config", "defaults: …".
    const std::string& source() const { return source_; }

    const offer::plan_settings& plan() const { return plan_; }
    const std::string& release_namespace() const { return release_namespace_; }

    /// Label selector of the offers that the controller acts on; empty: all.
    const std::string& offer_selector() const { return offer_selector_; }
    /// Why the controller does not look at an offer (a whole object) for its labels, in words; empty where it
    /// does, as far as is known.
    std::string why_left_out(const boost::json::object& offer) const;

private:
    void note_known();

    offer::plan_settings plan_;
    std::string gate_key_file_;
    std::string offer_selector_;
    kube::object_predicate acted_on_;  ///< empty: all offers
    std::string release_namespace_;
    std::string source_ = "defaults";
    bool known_ = false;
};

}  // namespace portitor::cli

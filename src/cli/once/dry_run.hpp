#pragma once

#include "cli/once/report.hpp"

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <set>

namespace portitor::cli::once {

/// Asks the API server what it would make of an apply: a dry run, so nothing is written. Who is not allowed
/// to ask about a kind in a namespace is told so once, and asks no more. One strand.
class dry_run
{
public:
    /// What the API server said. All empty: it may not be asked.
    struct verdict
    {
        kube::object_ptr after;         ///< the object as it would be
        std::string refused;            ///< why there would be none
        std::vector<dispute> disputes;  ///< fields that would be taken from others
    };

    explicit dry_run(kube::api& server) : server_(server) {}

    /// As the controller applies its children: who else has a field loses it.
    boost::asio::awaitable<verdict> ask(kube::resource kind, boost::json::object wanted, std::string manager);

    /// What could not be asked, in words.
    const std::vector<std::string>& unasked() const { return unasked_; }

private:
    boost::asio::awaitable<kube::api_result<kube::object_ptr>>
    apply(kube::resource kind, boost::json::object wanted, std::string manager, bool force);

    kube::api& server_;
    std::set<std::pair<std::string_view, std::string>> denied_;  ///< kinds in namespaces
    std::vector<std::string> unasked_;
};

}  // namespace portitor::cli::once

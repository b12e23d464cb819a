#pragma once

#include "cli/once/report.hpp"

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <map>
#include <set>

namespace portitor::cli::once {

/// Whose write a dry run stands for.
enum class stands_for
{
    oneself,     ///< what the API server says of it counts
    controller,  ///< a policy may take it from the controller and not from who asks
};

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

    /// Who else has a field loses it, as by the controller's own apply.
    boost::asio::awaitable<verdict>
    ask(kube::resource kind, boost::json::object wanted, std::string manager, stands_for whose);

    /// What could not be asked, in words: one text for each kind.
    std::vector<std::string> unasked() const;

private:
    boost::asio::awaitable<kube::api_result<kube::object_ptr>>
    apply(kube::resource kind, boost::json::object wanted, std::string manager, bool force);

    bool may_ask(std::string_view kind, const std::string& ns) const;

    /// Where a kind may not be asked about.
    struct silence
    {
        std::set<std::string> namespaces;
        std::string policy;  ///< that forbids it everywhere, in its words
    };

    kube::api& server_;
    std::map<std::string_view, silence> silent_;  ///< by kind
};

}  // namespace portitor::cli::once

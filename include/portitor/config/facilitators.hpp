#pragma once

#include <portitor/config/loader.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace portitor::config {

/// One entry of the operator's list of facilitators.
struct facilitator
{
    std::string name;
    std::string url;
};

/// The facilitators that payments may be sent to: offers choose by name, the verifier admits no other URL.
struct facilitator_list
{
    std::vector<facilitator> entries;
    std::string default_name;     ///< of the entry that is meant where an offer names none
    bool allow_insecure = false;  ///< http too, on loopback or in the cluster

    void declare(loader& into);

    /// A default that is given as a URL becomes the entry "default". errc::invalid where there is no such
    /// entry, or one is asked over http that must not be.
    result<void> resolve();

    /// The facilitator of that name, or nullptr.
    const facilitator* find(std::string_view name) const;

    /// The first name that means this URL; the URL itself where none does.
    std::string_view name_of(std::string_view url) const;
};

}  // namespace portitor::config

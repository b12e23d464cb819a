#pragma once

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/json/value.hpp>

#include <span>
#include <vector>

namespace portitor::cli::sell {

/// The offers of a namespace, or of all where `ns` is empty, by namespace and name; in the user's words where
/// they cannot be listed.
boost::asio::awaitable<result<std::vector<kube::object_ptr>>>
list_offers(kube::api& server, std::string ns, std::string label_selector);

/// That there are none, in `ns` or at all.
std::string no_offers(bool all, const std::string& ns);

/// Them as kubectl prints several objects.
boost::json::object as_list(std::span<const kube::object_ptr> offers);

/// The condition Ready of the present generation; what stands for it where there is none.
kube::condition ready_of(const kube::object& offer);

/// "-o wide" and so on: a table of offers, a row each, without a namespace column where there is one only.
void print_offers(
    std::ostream& out,
    bool colour,
    std::span<const kube::object_ptr> offers,
    clock::time_point now,
    bool all,
    bool wide
);

}  // namespace portitor::cli::sell

#pragma once

#include <portitor/core/error.hpp>
#include <portitor/kube/api.hpp>

#include <boost/json/object.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace portitor::kube {

/// Reads the text of a list in whatever pieces the network brings it, and hands over each item as soon as it
/// is complete: what is held is one item. metadata.managedFields and kubectl's last-applied annotation, which
/// can outweigh all the rest, are left out. An item of more than 8 MiB is errc::protocol.
class list_reader
{
public:
    explicit list_reader(item_handler each);
    ~list_reader();

    /// errc::protocol for what is no list; whatever the handler says.
    result<void> feed(std::string_view piece);

    /// The list's own metadata, once all its text has been fed; errc::protocol where it was cut short.
    result<list_page> finish();

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

/// Reads the text of a watch in the same way: one event after the other.
class event_reader
{
public:
    /// `type` is "ADDED", "MODIFIED", "DELETED", "BOOKMARK" or "ERROR", or one that is not known yet. The
    /// object lives only during the call.
    using handler = std::function<result<void>(std::string_view type, boost::json::object&& object)>;

    explicit event_reader(handler each);
    ~event_reader();

    /// errc::protocol for what is no event; whatever the handler says.
    result<void> feed(std::string_view piece);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace portitor::kube

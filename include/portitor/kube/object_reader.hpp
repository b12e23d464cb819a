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
/// can outweigh all the rest, are left out, and so is what `filter` leaves out. Of an item that has more than
/// 8 MiB or 128 levels besides, what is too much is left out and said: a value that is too deep is null, and
/// behind 8 MiB there is nothing but metadata. No item, whatever is in it, is an error.
class list_reader
{
public:
    explicit list_reader(
        item_handler each,
        std::shared_ptr<const object_filter> filter = {},
        boost::json::storage_ptr memory = {}
    );
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
    /// object lives only during the call. `cut` is as an item_handler gets it.
    using handler = std::function<
        result<void>(std::string_view type, boost::json::object&& object, std::string_view cut)>;

    explicit event_reader(
        handler each, std::shared_ptr<const object_filter> filter = {}, boost::json::storage_ptr memory = {}
    );
    ~event_reader();

    /// errc::protocol for what is no event; whatever the handler says.
    result<void> feed(std::string_view piece);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace portitor::kube

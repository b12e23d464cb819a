#pragma once

#include <portitor/core/error.hpp>
#include <portitor/kube/object_filter.hpp>

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace portitor::kube {

/// Takes the parts of a document such as a list or an event, as they become complete.
class document_handler
{
public:
    virtual ~document_handler() = default;

    /// A string that is a member of the document itself.
    virtual void on_text(std::string_view member, std::string_view text) = 0;
    /// An object that is a member of the document, or an element of an array that is. Its memory lasts only
    /// during the call. `cut` says what is missing of it because it is too large or too deep; empty: nothing.
    virtual result<void>
    on_object(std::string_view member, boost::json::object&& value, std::string_view cut) = 0;
    /// The document is complete.
    virtual result<void> on_end() = 0;
};

/// Parses documents that follow each other, in whatever pieces they come. Only one object at a time is held,
/// and its memory is given back before the next one. See list_reader for what is left out and for the limits.
class document_parser
{
public:
    /// `filter` is for the members "items" and "object". Objects are made of `memory`.
    explicit document_parser(
        document_handler& into,
        std::shared_ptr<const object_filter> filter = {},
        boost::json::storage_ptr memory = {}
    );
    ~document_parser();

    /// errc::protocol for what is no such document; whatever the handler says. Of no use after an error, or
    /// after an exception of the handler.
    result<void> feed(std::string_view piece);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

/// An object, and what is missing of it because it is too large or too deep.
struct whole_object
{
    boost::json::object raw;
    std::string cut;
};

/// Parses an object that stands alone, with the same limits; errc::protocol for what is none.
result<whole_object> parse_whole(std::string_view text);

}  // namespace portitor::kube

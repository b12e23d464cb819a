#pragma once

#include <portitor/core/error.hpp>

#include <boost/json/object.hpp>

#include <memory>
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
    /// during the call.
    virtual result<void> on_object(std::string_view member, boost::json::object&& value) = 0;
    /// The document is complete.
    virtual result<void> on_end() = 0;
};

/// Parses documents that follow each other, in whatever pieces they come. Only one object at a time is held.
/// See list_reader for what is left out and for the limits.
class document_parser
{
public:
    explicit document_parser(document_handler& into);
    ~document_parser();

    /// errc::protocol for what is no such document; whatever the handler says. Of no use after an error.
    result<void> feed(std::string_view piece);

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace portitor::kube

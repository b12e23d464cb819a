#pragma once

#include <portitor/kube/object.hpp>

#include <boost/json/parse.hpp>

#include <algorithm>

namespace portitor::test {

/// An object from its JSON; throws where it is none.
inline kube::object_ptr object_from(std::string_view text)
{
    return kube::parse_object(
               boost::json::parse(boost::json::string_view(text.data(), text.size())).as_object()
    )
        .value();
}

/// As object_from(), with the value at a JSON pointer replaced by a JSON text, or taken out where the text is
/// empty.
inline kube::object_ptr
changed(const kube::object_ptr& before, std::string_view pointer, std::string_view text)
{
    boost::json::value raw(before->raw);
    const auto last = pointer.rfind('/');
    boost::json::value* parent = &raw;
    for (std::string_view rest = pointer.substr(0, last); !rest.empty();)
    {
        const auto end = std::min(rest.find('/', 1), rest.size());
        const auto key = rest.substr(1, end - 1);
        boost::json::value& next = parent->as_object()[boost::json::string_view(key.data(), key.size())];
        if (next.is_null())
            next.emplace_object();
        parent = &next;
        rest.remove_prefix(end);
    }
    const std::string key(pointer.substr(last + 1));
    if (text.empty())
        parent->as_object().erase(key);
    else
        parent->as_object()[key] = boost::json::parse(boost::json::string_view(text.data(), text.size()));
    return kube::parse_object(raw.as_object()).value();
}

}  // namespace portitor::test

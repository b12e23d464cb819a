#pragma once

#include <portitor/http/server_request.hpp>

namespace portitor::test {

/// A copy, to be looked at when the request itself is gone.
inline http::request message_of(const http::server_request& from)
{
    http::request out;
    out.method_string({from.method_string().data(), from.method_string().size()});
    out.target({from.target().data(), from.target().size()});
    out.version(from.version());
    for (const auto& each : from.headers())
        out.insert({each.name.data(), each.name.size()}, {each.value.data(), each.value.size()});
    out.body() = from.body();
    return out;
}

}  // namespace portitor::test

#pragma once

#include <portitor/kube/object.hpp>

#include <boost/json/parse.hpp>

#include <string>

namespace portitor::kube::samples {

inline boost::json::object json_object(const std::string& text)
{
    return boost::json::parse(text).as_object();
}

/// A small object as the API server sends it; its UID is "uid-<name>" unless told otherwise.
inline boost::json::object raw_object(
    const std::string& name,
    const std::string& version,
    const std::string& uid = "",
    const std::string& ns = "default"
)
{
    const boost::json::object meta{
        {"namespace", ns},
        {"name", name},
        {"uid", uid.empty() ? "uid-" + name : uid},
        {"resourceVersion", version},
    };
    return {{"metadata", meta}};
}

/// The same, read.
inline object_ptr make_object(
    const std::string& name,
    const std::string& version,
    const std::string& uid = "",
    const std::string& ns = "default"
)
{
    return parse_object(raw_object(name, version, uid, ns)).value();
}

/// One event of a watch, with the end of its line.
inline std::string event_line(
    const std::string& type, const std::string& name, const std::string& version, const std::string& uid = ""
)
{
    return R"({"type":")" + type + R"(","object":{"metadata":{"namespace":"default","name":")" + name +
           R"(","uid":")" + (uid.empty() ? "uid-" + name : uid) + R"(","resourceVersion":")" + version +
           "\"}}}\n";
}

inline std::string bookmark_line(const std::string& version)
{
    return R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")" + version + "\"}}}\n";
}

inline std::string error_line(int code, const std::string& reason, const std::string& message)
{
    return R"({"type":"ERROR","object":{"kind":"Status","code":)" + std::to_string(code) + R"(,"reason":")" +
           reason + R"(","message":")" + message + "\"}}\n";
}

}  // namespace portitor::kube::samples

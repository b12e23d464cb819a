#pragma once

#include <portitor/kube/object.hpp>

#include <boost/json/parse.hpp>

#include <string>

namespace portitor::kube::samples {

/// A small object; its UID is "uid-<name>" unless told otherwise.
inline object_ptr make_object(
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
    boost::json::object raw{{"metadata", meta}};
    return parse_object(std::move(raw)).value();
}

/// One line of a watch, without its end.
inline std::string event_line(const std::string& type, const std::string& name, const std::string& version)
{
    return R"({"type":")" + type + R"(","object":{"metadata":{"namespace":"default","name":")" + name +
           R"(","uid":"uid-)" + name + R"(","resourceVersion":")" + version + R"("}}})";
}

inline std::string bookmark_line(const std::string& version)
{
    return R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")" + version + R"("}}})";
}

inline std::string error_line(int code, const std::string& reason, const std::string& message)
{
    return R"({"type":"ERROR","object":{"kind":"Status","code":)" + std::to_string(code) + R"(,"reason":")" +
           reason + R"(","message":")" + message + R"("}})";
}

}  // namespace portitor::kube::samples

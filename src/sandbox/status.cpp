#include "sandbox/status.hpp"

namespace portitor::sandbox {

namespace json = boost::json;

answer refusal(unsigned code, std::string_view reason, const std::string& message, json::array causes)
{
    json::object details;
    if (!causes.empty())
        details["causes"] = std::move(causes);
    json::object status{
        {"kind", "Status"},
        {"apiVersion", "v1"},
        {"metadata", json::object()},
        {"status", "Failure"},
        {"message", message},
        {"reason", reason},
        {"details", std::move(details)},
        {"code", code},
    };
    return {code, std::move(status)};
}

json::object cause(std::string_view reason, const std::string& message, const std::string& field)
{
    json::object out{{"reason", reason}, {"message", message}};
    if (!field.empty())
        out["field"] = field;
    return out;
}

answer no_such_resource()
{
    return refusal(404, "NotFound", "the server could not find the requested resource");
}

answer too_old(const std::string& message)
{
    return refusal(410, "Expired", message);
}

answer too_large(const std::string& version)
{
    json::array causes;
    causes.push_back(cause("ResourceVersionTooLarge", "Too large resource version"));
    answer out = refusal(504, "Timeout", "Too large resource version: " + version, std::move(causes));
    out.body["details"].as_object()["retryAfterSeconds"] = 1;
    return out;
}

}  // namespace portitor::sandbox

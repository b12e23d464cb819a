#include "kube/status.hpp"

#include <portitor/kube/object.hpp>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <stdexcept>

namespace portitor::kube {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_message = 1000;

errc code_of(unsigned http_status)
{
    switch (http_status)
    {
    case 400:
    case 422:
        return errc::invalid;
    case 404:
        return errc::not_found;
    case 409:
    case 410:
        return errc::conflict;
    case 401:
    case 403:
        return errc::refused;
    default:
        return errc::unavailable;
    }
}

std::vector<status_cause> read_causes(const json::object& status)
{
    std::vector<status_cause> out;
    const json::value* list = find_path(status, "details.causes");
    if (!list || !list->is_array())
        return out;
    for (const json::value& each : list->get_array())
    {
        if (const json::object* cause = each.if_object())
            out.push_back(
                {string_at(*cause, "reason"), string_at(*cause, "field"), string_at(*cause, "message")}
            );
    }
    return out;
}

}  // namespace

api_error::api_error(
    unsigned http_status,
    std::string reason,
    std::string message,
    std::chrono::seconds retry_after,
    std::vector<status_cause> causes
)
    : code_(code_of(http_status)), http_status_(http_status), reason_(std::move(reason)),
      message_(std::move(message)), retry_after_(retry_after), causes_(std::move(causes))
{
    if (is_conflict())
        code_ = errc::conflict;
}

bool api_error::is_conflict() const
{
    const auto of_uid = [](const status_cause& each) { return each.field == "metadata.uid"; };
    return http_status_ == 409 ||
           (http_status_ == 422 && std::any_of(causes_.begin(), causes_.end(), of_uid));
}

bool api_error::has_cause(std::string_view reason) const
{
    return std::any_of(causes_.begin(), causes_.end(), [&](const status_cause& each) {
        return each.reason == reason;
    });
}

bool api_error::is_expired() const
{
    return http_status_ == 410 || reason_ == "Expired" || reason_ == "Gone" ||
           has_cause("ResourceVersionTooLarge");
}

bool api_error::is_namespace_terminating() const
{
    return http_status_ == 403 && has_cause("NamespaceTerminating");
}

[[noreturn]] void throw_exception_from_error(const api_error& failure, const boost::source_location&)
{
    throw std::runtime_error(failure.message());
}

api_error read_status(const json::object& status, unsigned http_status, std::chrono::seconds retry_after)
{
    const auto code = static_cast<unsigned>(int_at(status, "code", http_status));
    const auto seconds = bounded_pause(int_at(status, "details.retryAfterSeconds"));
    std::string message = fmt::format("the API server answered {}", code);
    if (auto text = string_at(status, "message"); !text.empty())
        message = fmt::format("{}: {}", message, text.substr(0, longest_message));
    return {code, string_at(status, "reason"), message, std::max(retry_after, seconds), read_causes(status)};
}

api_error read_failure(std::string_view body, unsigned http_status, std::chrono::seconds retry_after)
{
    boost::system::error_code ec;
    const json::value parsed = json::parse(json::string_view(body.data(), body.size()), ec);
    if (!ec && parsed.is_object())
    {
        // The body speaks about the answer that it came with, whatever code it names.
        json::object status = parsed.get_object();
        status["code"] = http_status;
        return read_status(status, http_status, retry_after);
    }
    return {http_status, "", fmt::format("the API server answered {}", http_status), retry_after};
}

}  // namespace portitor::kube

#pragma once

#include <portitor/core/error.hpp>

#include <boost/system/result.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::kube {

/// One of the causes in a Status, such as a field that somebody else owns.
struct status_cause
{
    std::string reason;  ///< "FieldManagerConflict", "ResourceVersionTooLarge", "FieldValueInvalid"…
    std::string field;
    std::string message;
};

/// A refusal or failure of the API server, with what its Status said (metav1.Status).
class api_error
{
public:
    api_error() = default;
    /// Never reached, or no answer that is one.
    explicit api_error(const error& transport) : code_(transport.code()), message_(transport.message()) {}
    /// An answer with this HTTP status.
    api_error(
        unsigned http_status,
        std::string reason,
        std::string message,
        std::chrono::seconds retry_after,
        std::vector<status_cause> causes = {}
    );

    errc code() const { return code_; }
    unsigned http_status() const { return http_status_; }  ///< 0 where there was no answer
    const std::string& reason() const { return reason_; }  ///< metav1.StatusReason: "Conflict", "Expired"…
    const std::string& message() const { return message_; }
    const std::vector<status_cause>& causes() const { return causes_; }
    std::chrono::seconds retry_after() const { return retry_after_; }  ///< zero where the server named none

    bool is_not_found() const { return http_status_ == 404; }
    /// 409, or the 422 that an apply gets whose UID is that of an object which has been replaced since.
    bool is_conflict() const;
    /// The name is taken: the 409 of a create.
    bool is_already_exists() const { return reason_ == "AlreadyExists"; }
    /// 410, or a resource version that the server does not know (yet): list again from scratch.
    bool is_expired() const;
    /// The namespace is being deleted: nothing new can be made there, and nothing needs to be.
    bool is_namespace_terminating() const;
    /// A write that may or may not have been carried out: read before it is repeated.
    bool is_outcome_unknown() const { return code_ == errc::timed_out || code_ == errc::protocol; }

    error to_error() const { return {code_, message_}; }

private:
    bool has_cause(std::string_view reason) const;

    errc code_{};
    unsigned http_status_ = 0;
    std::string reason_;
    std::string message_;
    std::chrono::seconds retry_after_{};
    std::vector<status_cause> causes_;
};

template <typename T>
using api_result = boost::system::result<T, api_error>;

[[noreturn]] void throw_exception_from_error(const api_error& failure, const boost::source_location& where);

}  // namespace portitor::kube

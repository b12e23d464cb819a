#pragma once

#include "cli/command.hpp"

#include <portitor/kube/api.hpp>

#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <string>

namespace portitor::cli::sell {

/// How a wait ended.
enum class waited
{
    done,
    timed_out,
    interrupted,  ///< by a signal
    gone,         ///< the offer was deleted meanwhile, or is another one of that name
};

/// Looks at an offer, as it is now or null where it is gone; true: that was what was waited for.
using look = std::function<bool(const kube::object_ptr& offer)>;

/// Reads an offer every half second, at once for the first time, until `done` says so. An API server that
/// cannot be reached is asked again, and is an error where it cannot be in the end; one that refuses is an
/// error at once. Never ends as gone.
boost::asio::awaitable<result<waited>> wait_until(
    roles::process around, kube::api& server, kube::object_key of, std::chrono::seconds timeout, look done
);

/// Tells how an offer comes along: a line for each condition whenever it has turned, with the time since the
/// beginning. Says only what is about the present generation.
class progress
{
public:
    progress(std::ostream& out, bool colour, const timekeeper& timers)
        : out_(out), colour_(colour), timers_(timers), begin_(timers.now())
    {}

    void show(const kube::object& offer);

    /// A line of one's own, after the time.
    void say(const std::string& line);

private:
    std::ostream& out_;
    bool colour_;
    const timekeeper& timers_;
    timekeeper::time_point begin_;
    std::map<std::string, std::string> told_;  ///< by type: status and reason
};

/// wait_until() for an offer that stays what it is: tells its progress, and leaves in `offer` what it was the
/// last time. @pre both outlive the call
boost::asio::awaitable<result<waited>> follow(
    roles::process around,
    kube::api& server,
    kube::object_ptr& offer,
    std::chrono::seconds timeout,
    progress& told,
    std::function<bool(const kube::object&)> done
);

/// Tells in words that a wait ended before its time: what is known, what goes on without us, how to look on.
/// @param not_yet what `offer` is not, with its verb: "is not sold yet"
/// @param condition the type of the condition that tells how far it is
error unfinished(
    waited how,
    std::chrono::seconds limit,
    const kube::object& offer,
    std::string_view not_yet,
    std::string_view condition
);

/// Whether the offer is Ready in its present generation.
bool is_ready(const kube::object& offer);

}  // namespace portitor::cli::sell

#pragma once

#include <portitor/core/backoff.hpp>
#include <portitor/kube/api.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace portitor::kube {

/// What the watcher does next.
struct watch_step
{
    enum class action
    {
        list,   ///< fetch the page at `from`; without a continue token a new list begins
        watch,  ///< watch from `from.resource_version`
    };

    action what = action::list;
    std::chrono::milliseconds delay{};  ///< to wait first
    list_position from;
};

/// What an event of a watch is about.
enum class watch_event
{
    upsert,
    removal,
    bookmark,  ///< carries a resource version and nothing else
    unknown,   ///< of a type that did not exist yet: nothing follows from it
};

/// LIST then WATCH as a state machine without I/O (client-go's reflector, kube-rs' watcher): each method
/// takes what the network brought, next() says what to do. A list that is streamed by the watch itself
/// (KEP-3157) would be one more state beside `listing`.
class watch_fsm
{
public:
    using time_point = std::chrono::steady_clock::time_point;

    explicit watch_fsm(backoff delays) : delays_(std::move(delays)) {}

    watch_step next() const;

    /// One page has been taken in full. Whether it was the last one: the snapshot is complete.
    bool on_page(const list_page& page);

    /// The list failed. 410 on a follow-up page or for a version starts from scratch, at once the first time.
    /// on_watch_end() does the same: a server that always answers 410 is not listed in a tight circle.
    void on_list_error(const api_error& failure);

    void on_watch_opened(time_point now);

    /// One event of the watch, other than ERROR: that one ends it.
    watch_event on_event(std::string_view type, std::string_view resource_version);

    /// The stream ended: `failure` is null for the server's orderly end.
    void on_watch_end(const api_error* failure, time_point now);

    /// What comes next is a whole list, after the delay that was due.
    void list_anew() { restart_from_scratch(); }

    const std::string& resource_version() const { return resource_version_; }

private:
    enum class state
    {
        listing,
        watching,
    };

    void restart_from_scratch();
    std::chrono::milliseconds restart_delay();
    std::chrono::milliseconds delay_after(const api_error& failure);

    backoff delays_;
    state state_ = state::listing;
    std::chrono::milliseconds delay_{};
    std::string resource_version_;  ///< last seen; empty: whatever is newest
    std::string continue_token_;
    time_point opened_{};
    bool had_events_ = false;
    bool hurried_ = false;  ///< the last restart was made at once, and no watch has worked since
};

}  // namespace portitor::kube

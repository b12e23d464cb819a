#pragma once

#include <portitor/core/backoff.hpp>
#include <portitor/kube/api.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace portitor::kube {

/// What the watcher does next.
struct watch_step
{
    enum class action
    {
        list,   ///< fetch one page with `resource_version` or `continue_token`
        watch,  ///< watch from `resource_version`
    };

    action what = action::list;
    std::chrono::milliseconds delay{};  ///< to wait first
    std::string resource_version;
    std::string continue_token;
};

/// One change of the collection, in the order in which handlers see it.
struct watch_event
{
    enum class type
    {
        upsert,
        removal,
        bookmark,
    };

    type what = type::upsert;
    object_ptr object;  ///< null for a bookmark
};

/// LIST then WATCH as a state machine without I/O (client-go's reflector, kube-rs' watcher): each method
/// takes what the network brought and returns what follows from it; next() says what to do. Bookkeeping of
/// one watch only.
class watch_fsm
{
public:
    using steady = std::chrono::steady_clock;

    explicit watch_fsm(backoff delays) : delays_(std::move(delays)) {}

    watch_step next() const;

    /// One page. Returns the whole snapshot when it was the last one.
    std::optional<std::vector<object_ptr>> on_page(object_page page);

    /// The list failed. 410 on a follow-up page or for a version starts from scratch, at once the first time.
    /// on_watch_end() does the same: a server that always answers 410 is not listed in a tight circle.
    void on_list_error(const api_error& failure);

    void on_watch_opened(steady::time_point now);

    /// One line of the stream; nothing for a line that carries no news. An in-stream ERROR is returned as
    /// one.
    api_result<std::optional<watch_event>> on_line(std::string_view line);

    /// The stream ended: `failure` is null for the server's orderly end.
    void on_watch_end(const api_error* failure, steady::time_point now);

    bool listed() const { return state_ == state::watching; }
    const std::string& resource_version() const { return resource_version_; }

private:
    enum class state
    {
        listing,
        watching,
    };

    void restart_from_scratch();
    std::chrono::milliseconds restart_delay();

    backoff delays_;
    state state_ = state::listing;
    std::chrono::milliseconds delay_{};
    std::string resource_version_;  ///< last seen; empty: whatever is newest
    std::string continue_token_;
    std::vector<object_ptr> side_;  ///< pages of a list that is not complete yet
    steady::time_point opened_{};
    bool had_events_ = false;
    bool hurried_ = false;  ///< the last restart was made at once, and no watch has worked since
};

}  // namespace portitor::kube

#pragma once

#include <portitor/core/log.hpp>
#include <portitor/core/metrics.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/kube/api.hpp>
#include <portitor/kube/watch_fsm.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <optional>
#include <random>
#include <string>

namespace portitor::kube {

/// Takes what a watcher sees, in order. Objects live only during the call; `cut` is as an item_handler gets
/// it. An error means that something was missed: all is listed anew.
class watch_target
{
public:
    virtual ~watch_target() = default;

    /// A list begins: what a list that was cut short has brought counts for nothing.
    virtual void on_list_begin() = 0;
    virtual result<void> on_item(boost::json::object&& item, std::string_view cut) = 0;
    /// The list is complete: what was not among its items is gone.
    virtual void on_listed() = 0;
    virtual result<void> on_upsert(boost::json::object&& object, std::string_view cut) = 0;
    virtual void on_removal(const object_key& key) = 0;
    /// The kind cannot be read at all: see watcher::missing().
    virtual void on_missing() {}
    /// What was missing is there again.
    virtual void on_found_again() {}
};

struct watch_options
{
    /// A watch is asked to end after a time between these. The spread keeps many from ending at once; the
    /// range stays below the idle limits of load balancers (240 s).
    std::chrono::seconds shortest{180};
    std::chrono::seconds longest{230};
    /// So long after the server should have ended it, a silent watch is given up: its connection is dead.
    std::chrono::seconds grace{5};
    /// What it means that the server does not know the kind (404). It is asked again now and then.
    enum class absence
    {
        waited_for,  ///< nothing: the target stays as it is, and unsynced until the kind is there
        emptied,  ///< its objects went with it: so the target is told, once the server has said it some times
        fine,     ///< an installation may lack the kind: there is none of it, and nothing is missing
    };
    absence when_absent = absence::waited_for;
    /// Work begins without it where the account may not read it.
    bool optional = false;
};

/// Lists and watches one kind: whatever the server does, the target catches up. One strand.
class watcher
{
public:
    watcher(
        api& server,
        resource kind,
        selection which,
        watch_target& target,
        watch_options options,
        timekeeper& time,
        logger log,
        metrics& numbers
    );

    /// Runs until canceled; survives every failure of the server.
    boost::asio::awaitable<void> run();

    /// For how long the target may have been out of date: since the watch was last connected or the kind
    /// freshly listed, where it is neither now; or since a watch first broke at what it breaks at again and
    /// again. Counts from the first run() on.
    std::optional<std::chrono::seconds> disconnected_for() const;

    /// Why the kind cannot be read at all, in words: the server does not know it, or lets this account not
    /// read it. Nothing where it can be, and where it is fine that there is none.
    const std::optional<std::string>& missing() const { return missing_; }

    const resource& kind() const { return kind_; }

private:
    boost::asio::awaitable<void> list(list_position from);
    boost::asio::awaitable<void> watch(list_position from);
    boost::asio::awaitable<api_result<void>>
    follow(http::body_stream& stream, std::chrono::milliseconds idle);
    result<void> take(std::string_view type, boost::json::object&& object, std::string_view cut);
    void note_break(const std::string& opened_at);
    void ended(const api_error& failure);
    void list_failed(const api_error& failure);
    bool counts_as_empty(const api_error& failure);
    void note_missing(const api_error& failure);
    void failed(const api_error& failure);
    void recovered();

    api& server_;
    resource kind_;
    selection which_;
    watch_target& target_;
    watch_options options_;
    timekeeper& time_;
    logger log_;
    watch_fsm fsm_;
    std::optional<api_error> in_stream_;  ///< what an ERROR event said
    bool missed_ = false;                 ///< the target could not take an event
    bool broken_text_ = false;            ///< what the watch sent is no event
    int breaks_ = 0;                      ///< of watches that came no further, in a row
    std::optional<timekeeper::time_point> stuck_since_;
    std::optional<timekeeper::time_point> lost_at_;
    std::string last_complaint_;
    std::optional<std::string> missing_;
    int absences_ = 0;  ///< in a row
    std::mt19937 random_;
    counter& lists_;
    counter& failures_;
    gauge& connected_;
};

}  // namespace portitor::kube

#include <portitor/kube/watch_fsm.hpp>

namespace portitor::kube {

namespace {

// A stream that ends sooner than this without an event is a server in trouble, not an orderly end.
constexpr auto shortest_watch = std::chrono::seconds(1);
constexpr auto healthy_after = std::chrono::minutes(2);

}  // namespace

watch_step watch_fsm::next() const
{
    watch_step step;
    step.what = state_ == state::listing ? watch_step::action::list : watch_step::action::watch;
    step.delay = delay_;
    step.from.resource_version = resource_version_;
    step.from.continue_token = continue_token_;
    return step;
}

void watch_fsm::restart_from_scratch()
{
    state_ = state::listing;
    resource_version_.clear();
    continue_token_.clear();
}

std::chrono::milliseconds watch_fsm::restart_delay()
{
    return std::exchange(hurried_, true) ? delays_.next() : std::chrono::milliseconds(0);
}

std::chrono::milliseconds watch_fsm::delay_after(const api_error& failure)
{
    return std::max<std::chrono::milliseconds>(delays_.next(), failure.retry_after());
}

bool watch_fsm::on_page(const list_page& page)
{
    delay_ = {};
    continue_token_ = page.continue_token;
    if (!continue_token_.empty())
        return false;
    // The watch starts from the list's own version, never from an item's.
    resource_version_ = page.resource_version;
    state_ = state::watching;
    return true;
}

void watch_fsm::on_list_error(const api_error& failure)
{
    const bool stale = failure.is_expired() && (!resource_version_.empty() || !continue_token_.empty());
    if (failure.is_expired())
        restart_from_scratch();
    // Pages of two snapshots never mix: whatever failed, the next list starts at its first page.
    continue_token_.clear();
    delay_ = stale ? std::max<std::chrono::milliseconds>(restart_delay(), failure.retry_after())
                   : delay_after(failure);
}

void watch_fsm::on_watch_opened(time_point now)
{
    opened_ = now;
    had_events_ = false;
    delay_ = {};
}

watch_event watch_fsm::on_event(std::string_view type, std::string_view resource_version)
{
    had_events_ = true;
    if (!resource_version.empty())
        resource_version_ = resource_version;
    if (type == "ADDED" || type == "MODIFIED")
        return watch_event::upsert;
    if (type == "DELETED")
        return watch_event::removal;
    return type == "BOOKMARK" ? watch_event::bookmark : watch_event::unknown;
}

void watch_fsm::on_watch_end(const api_error* failure, time_point now)
{
    const bool lasted = opened_ != time_point{} && now - opened_ >= shortest_watch;
    if (opened_ != time_point{} && now - opened_ >= healthy_after)
        delays_.reset();
    if (lasted)
        hurried_ = false;
    opened_ = {};
    if (failure && failure->is_expired())
    {
        // The version is too old, but what we hold is not wrong: list anew, and at once.
        restart_from_scratch();
        delay_ = std::max<std::chrono::milliseconds>(restart_delay(), failure->retry_after());
        return;
    }
    // 404: the kind is gone, and so is everything of it: only a list can tell.
    if (failure && failure->is_not_found())
        restart_from_scratch();
    // Anything else is retried as a watch from where it was: a list would hurt a struggling server.
    if (failure)
        delay_ = delay_after(*failure);
    else
        delay_ = lasted || had_events_ ? std::chrono::milliseconds(0) : delays_.next();
}

}  // namespace portitor::kube

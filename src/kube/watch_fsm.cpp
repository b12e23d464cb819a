#include <portitor/kube/watch_fsm.hpp>

#include <boost/json/parse.hpp>

namespace portitor::kube {

namespace json = boost::json;

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
    step.resource_version = resource_version_;
    step.continue_token = continue_token_;
    return step;
}

void watch_fsm::restart_from_scratch()
{
    state_ = state::listing;
    resource_version_.clear();
    continue_token_.clear();
    side_.clear();
}

std::chrono::milliseconds watch_fsm::restart_delay()
{
    return std::exchange(hurried_, true) ? delays_.next() : std::chrono::milliseconds(0);
}

std::optional<std::vector<object_ptr>> watch_fsm::on_page(object_page page)
{
    delay_ = {};
    side_.insert(side_.end(), page.items.begin(), page.items.end());
    continue_token_ = page.continue_token;
    if (!continue_token_.empty())
        return std::nullopt;
    // The watch starts from the list's own version, never from an item's.
    resource_version_ = page.resource_version;
    state_ = state::watching;
    return std::exchange(side_, {});
}

void watch_fsm::on_list_error(const api_error& failure)
{
    // Pages of two snapshots never mix: whatever failed, the next list starts at its first page.
    const bool stale = failure.is_expired() && (!resource_version_.empty() || !continue_token_.empty());
    if (failure.is_expired())
        restart_from_scratch();
    continue_token_.clear();
    side_.clear();
    delay_ =
        stale ? restart_delay() : std::max<std::chrono::milliseconds>(delays_.next(), failure.retry_after());
}

void watch_fsm::on_watch_opened(steady::time_point now)
{
    opened_ = now;
    had_events_ = false;
    delay_ = {};
}

api_result<std::optional<watch_event>> watch_fsm::on_line(std::string_view line)
{
    boost::system::error_code ec;
    json::value parsed = json::parse(json::string_view(line.data(), line.size()), ec);
    json::value* object = !ec && parsed.is_object() ? parsed.get_object().if_contains("object") : nullptr;
    if (!object || !object->is_object())
        return api_error(fail(errc::protocol, "a watch sent a line that is no event"));
    const std::string type = string_at(parsed.get_object(), "type");
    if (type == "ERROR")
    {
        const json::object& status = object->get_object();
        return api_error(
            static_cast<unsigned>(int_at(status, "code", 500)),
            string_at(status, "reason"),
            string_at(status, "message"),
            std::chrono::seconds(0)
        );
    }
    had_events_ = true;
    const std::string version = string_at(object->get_object(), "metadata.resourceVersion");
    if (!version.empty())
        resource_version_ = version;
    if (type == "BOOKMARK")
        return std::optional(watch_event{watch_event::type::bookmark, nullptr});
    if (type != "ADDED" && type != "MODIFIED" && type != "DELETED")
        return std::optional<watch_event>();
    auto made = parse_object(std::move(object->get_object()));
    if (!made)
        return api_error(made.error());
    const auto what = type == "DELETED" ? watch_event::type::removal : watch_event::type::upsert;
    return std::optional(watch_event{what, std::move(*made)});
}

void watch_fsm::on_watch_end(const api_error* failure, steady::time_point now)
{
    const bool lasted = opened_ != steady::time_point{} && now - opened_ >= shortest_watch;
    if (opened_ != steady::time_point{} && now - opened_ >= healthy_after)
        delays_.reset();
    if (lasted)
        hurried_ = false;
    opened_ = {};
    if (failure && failure->is_expired())
    {
        // The version is too old, but what we hold is not wrong: list anew, and at once.
        restart_from_scratch();
        delay_ = restart_delay();
        return;
    }
    // 404: the kind is gone, and so is everything of it: only a list can tell.
    if (failure && failure->is_not_found())
        restart_from_scratch();
    // Anything else is retried as a watch from where it was: a list would hurt a struggling server.
    const bool orderly = !failure && (lasted || had_events_);
    delay_ = orderly ? std::chrono::milliseconds(0)
                     : std::max<std::chrono::milliseconds>(
                           delays_.next(), failure ? failure->retry_after() : std::chrono::seconds(0)
                       );
}

}  // namespace portitor::kube

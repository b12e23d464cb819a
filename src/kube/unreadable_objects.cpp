#include <portitor/kube/unreadable_objects.hpp>

namespace portitor::kube {

namespace {

// Whoever makes a thousand of them does not fill the log.
constexpr int most_lines = 10;
constexpr auto line_period = std::chrono::minutes(1);

}  // namespace

unreadable_objects::unreadable_objects(std::string_view kind, timekeeper& time, logger log, metrics& numbers)
    : time_(time), log_(log.with({{"kind", kind}})),
      count_(numbers.gauge(
          "portitor_watch_unreadable_objects",
          "Objects that are there and could not be read: the log names them",
          {{"kind", std::string(kind)}}
      ))
{}

void unreadable_objects::note(const object_identity& which, const std::string& why)
{
    const object_key key = which.key();
    listed_.insert(key);
    std::string& known = reasons_[key];
    if (known == why)
        return;
    known = why;
    count_.set(static_cast<std::int64_t>(reasons_.size()));
    tell(which, why);
}

void unreadable_objects::tell(const object_identity& which, const std::string& why)
{
    const auto now = time_.now();
    if (told_ == 0 || now - minute_ >= line_period)
    {
        minute_ = now;
        told_ = 0;
    }
    if (told_ == most_lines)
    {
        ++left_out_;
        return;
    }
    ++told_;
    log_.warn(
        "an object cannot be read and is left out",
        {{"key", which.key().to_string()},
         {"uid", which.uid},
         {"err", why},
         {"others", std::exchange(left_out_, 0)}}
    );
}

void unreadable_objects::forget(const object_key& key)
{
    if (reasons_.empty() || reasons_.erase(key) == 0)
        return;
    listed_.erase(key);
    count_.set(static_cast<std::int64_t>(reasons_.size()));
}

void unreadable_objects::end_list()
{
    std::erase_if(reasons_, [&](const auto& each) { return !listed_.contains(each.first); });
    listed_.clear();
    count_.set(static_cast<std::int64_t>(reasons_.size()));
}

}  // namespace portitor::kube

#include "kube/dated_clock.hpp"

#include <portitor/http/date.hpp>

#include <string>

namespace portitor::kube {

namespace {

constexpr std::chrono::seconds same_within(2);
// Beyond lies what the clock cannot count to.
constexpr std::chrono::seconds latest =
    std::chrono::sys_seconds(std::chrono::sys_days(std::chrono::year(2200) / 1 / 1)).time_since_epoch();

}  // namespace

void dated_clock::note(const boost::beast::http::fields& header, timekeeper::time_point now)
{
    const auto date = header[http::field::date];
    const auto seconds = http::parse_date(std::string(date.data(), date.size()));
    if (!seconds || *seconds < 0 || std::chrono::seconds(*seconds) >= latest)
        return;
    const clock::time_point said{std::chrono::seconds(*seconds)};
    const auto expected = at(now);
    if (!expected || said > *expected + same_within || said < *expected - same_within)
        last_ = reading{said, now};
}

std::optional<clock::time_point> dated_clock::at(timekeeper::time_point now) const
{
    if (!last_)
        return std::nullopt;
    return last_->said + std::chrono::duration_cast<clock::time_point::duration>(now - last_->at);
}

}  // namespace portitor::kube

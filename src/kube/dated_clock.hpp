#pragma once

#include <portitor/core/clock.hpp>
#include <portitor/core/timekeeper.hpp>
#include <portitor/http/message.hpp>

#include <optional>

namespace portitor::kube {

/// A server's clock, as its answers tell it. It goes on steadily: a Date that is no more than two seconds off
/// is taken for the same time, told late or cut to whole seconds. No I/O.
class dated_clock
{
public:
    /// The header of an answer that has just come.
    void note(const boost::beast::http::fields& header, timekeeper::time_point now);

    /// Nothing where no answer had a Date that can be read.
    std::optional<clock::time_point> at(timekeeper::time_point now) const;

private:
    struct reading
    {
        clock::time_point said;
        timekeeper::time_point at;
    };
    std::optional<reading> last_;
};

}  // namespace portitor::kube

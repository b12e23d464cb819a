#pragma once

#include <portitor/core/timekeeper.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <memory>
#include <utility>

namespace portitor::kube {

/// How urgent a request is, most urgent first. A leader that cannot renew its lease stops the process, so
/// that goes before everything; a status is what people wait for.
enum class request_class
{
    lease,
    status,
    normal,
};

struct throttle_settings
{
    std::size_t most_in_flight = 32;  ///< connections for requests; watches have their own
    double per_second = 0;            ///< 0: as many as the server takes (it has its own fairness, KEP-1040)
    double burst = 100;               ///< requests that may go at once after a quiet time
};

/// Lets requests go in the order of their urgency, only so many at a time and per second. A lease does not
/// wait for either. One strand.
class throttle
{
public:
    throttle(boost::asio::any_io_executor executor, throttle_settings limits, timekeeper& time);

    /// The right to one request, given back when it goes.
    class permit
    {
    public:
        explicit permit(throttle* from) : from_(from) {}
        permit(permit&& other) noexcept : from_(std::exchange(other.from_, nullptr)) {}
        permit& operator=(permit&&) = delete;
        ~permit()
        {
            if (from_)
                from_->give_back();
        }

    private:
        throttle* from_;
    };

    /// Returns when the request may go.
    boost::asio::awaitable<permit> acquire(request_class urgency);

private:
    struct waiter;

    void give_back();
    void refill();
    bool may_admit();
    void admit_waiting();
    timekeeper::time_point next_token_at() const;

    boost::asio::any_io_executor executor_;
    throttle_settings limits_;
    timekeeper& time_;
    std::size_t in_flight_ = 0;
    double tokens_;
    timekeeper::time_point refilled_at_;
    std::array<std::deque<waiter*>, 3> waiting_;  ///< by urgency
};

}  // namespace portitor::kube

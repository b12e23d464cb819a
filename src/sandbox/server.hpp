#pragma once

#include "sandbox/storage.hpp"

#include <portitor/core/timekeeper.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <list>
#include <memory>

namespace portitor::sandbox {

/// An API server in memory: its storage, and what can happen to a server. Clients reach it through
/// sandbox::api. One strand; the server outlives its clients and their watches, and what it is made with
/// outlives the server.
class server
{
public:
    server(
        boost::asio::any_io_executor executor, timekeeper& time, const clock& wall, storage_limits limits = {}
    );
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    sandbox::storage& storage() { return storage_; }
    const sandbox::storage& storage() const { return storage_; }

    /// Like kill -9: every watch and every request that is waited for breaks, later ones are not reached.
    void stop();
    void start();
    /// It stands still: nothing is answered any more.
    void freeze();
    void thaw();
    /// Ends all watches in their order, as a server does after their time.
    void end_watches();
    /// Breaks all watches, in the middle of whatever they say.
    void break_watches();
    /// Ends all watches with the 410 that says that they have fallen behind.
    void expire_watches();

    // For sandbox::api.

    bool is_running() const { return running_; }
    bool is_frozen() const { return frozen_; }

    /// How often each of it has happened: what is open compares with what was when it was opened.
    struct happenings
    {
        unsigned stops = 0;
        unsigned ends = 0;
        unsigned breaks = 0;
        unsigned expiries = 0;
    };
    const happenings& happened() const { return happened_; }

    /// Returns at the next change of anything, or at that time.
    boost::asio::awaitable<void> wait_for_change(timekeeper::time_point until);
    timekeeper& time() { return time_; }
    const clock& wall() const { return wall_; }

private:
    void wake();

    boost::asio::any_io_executor executor_;
    timekeeper& time_;
    const clock& wall_;
    /// Shared with those who wait: a coroutine that is never resumed goes with its context, after the server.
    std::shared_ptr<std::list<timer*>> waiting_ = std::make_shared<std::list<timer*>>();
    bool running_ = true;
    bool frozen_ = false;
    happenings happened_;
    sandbox::storage storage_;
};

}  // namespace portitor::sandbox

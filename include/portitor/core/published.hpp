#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace portitor {

/// The newest version of an immutable value, handed from one writer to readers on other threads. A reader
/// pays one atomic load for as long as nothing changes, and a short lock for each version that it takes over.
/// The value must never be null.
template <typename T>
class published
{
public:
    explicit published(std::shared_ptr<const T> first) : current_(std::move(first)) {}
    published(const published&) = delete;
    published& operator=(const published&) = delete;

    /// Seen by each reader at its next get(). Any thread, one at a time.
    void set(std::shared_ptr<const T> next)
    {
        std::shared_ptr<const T> old;
        const std::lock_guard lock(mutex_);
        old = std::exchange(current_, std::move(next));
        version_.fetch_add(1, std::memory_order_release);
    }

    /// One per reading thread. It keeps the version that it saw last alive.
    class reader
    {
    public:
        explicit reader(const published& from) : from_(from) {}

        /// The newest version; the reference is valid until the next call.
        const T& get()
        {
            if (!held_ || from_.version_.load(std::memory_order_acquire) != seen_)
                take();
            return *held_;
        }

    private:
        void take()
        {
            const std::lock_guard lock(from_.mutex_);
            held_ = from_.current_;
            seen_ = from_.version_.load(std::memory_order_relaxed);
        }

        const published& from_;
        std::shared_ptr<const T> held_;
        std::uint64_t seen_ = 0;
    };

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const T> current_;
    std::atomic<std::uint64_t> version_{0};
};

}  // namespace portitor

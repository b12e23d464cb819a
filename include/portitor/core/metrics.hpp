#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portitor {

/// Label names and values of one series, in the order in which they are printed.
using metric_labels = std::vector<std::pair<std::string, std::string>>;

/// A number that only grows.
class counter
{
public:
    void add(std::uint64_t amount = 1) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
    std::uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// A number that moves both ways.
class gauge
{
public:
    void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
    void add(std::int64_t amount) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
    std::int64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

/// Durations in fixed buckets from 1 ms to 30 s.
class histogram
{
public:
    void observe(double seconds) noexcept;

    static const std::vector<double>& bounds();
    std::uint64_t bucket(std::size_t index) const noexcept
    {
        return buckets_[index].load(std::memory_order_relaxed);
    }
    double sum() const noexcept { return static_cast<double>(micros_.load(std::memory_order_relaxed)) / 1e6; }

private:
    std::atomic<std::uint64_t> buckets_[16]{};  // one per bound, and the rest
    std::atomic<std::uint64_t> micros_{0};
};

/// All numbers of one process, printed in the Prometheus text format. References stay valid as long as the
/// registry lives; asking for a series again returns the same one. Thread-safe.
class metrics
{
public:
    portitor::counter& counter(std::string_view name, std::string_view help, metric_labels labels = {});
    /// A series that ends when nobody holds it any more, for things that come and go. The same while someone
    /// does.
    std::shared_ptr<portitor::counter>
    shared_counter(std::string_view name, std::string_view help, const metric_labels& labels);
    portitor::gauge& gauge(std::string_view name, std::string_view help, metric_labels labels = {});
    portitor::histogram& histogram(std::string_view name, std::string_view help, metric_labels labels = {});

    /// Takes back what collect() has registered when it goes.
    class collector
    {
    public:
        collector(metrics& owner, std::uint64_t id) : owner_(&owner), id_(id) {}
        collector(collector&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), id_(other.id_)
        {}
        collector& operator=(collector&&) = delete;
        ~collector();

    private:
        metrics* owner_;
        std::uint64_t id_;
    };

    /// Has `measure` bring gauges up to date before each exposition, on the thread that asks for it.
    [[nodiscard]] collector collect(std::function<void()> measure);

    /// The exposition, families in order of name.
    std::string expose() const;

private:
    struct series
    {
        std::unique_ptr<portitor::counter> count;
        std::weak_ptr<portitor::counter> shared_count;
        std::unique_ptr<portitor::gauge> level;
        std::unique_ptr<portitor::histogram> durations;
    };
    struct family
    {
        std::string help;
        std::string_view type;
        std::map<std::string, series> by_labels;
    };

    series&
    find(std::string_view name, std::string_view help, std::string_view type, const metric_labels& labels);

    mutable std::mutex mutex_;
    mutable std::map<std::string, family, std::less<>> families_;  // expose() drops what has ended
    std::map<std::uint64_t, std::function<void()>> collectors_;
    std::uint64_t last_collector_ = 0;
};

}  // namespace portitor

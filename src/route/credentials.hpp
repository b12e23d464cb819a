#pragma once

#include <portitor/config/credentials.hpp>
#include <portitor/core/error.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::route {

/// One value for the Authorization header of upstreams, read from a file. It is a secret: it goes into a
/// granted answer and nowhere else. Any thread.
class credential
{
public:
    explicit credential(config::credential_entry entry) : entry_(std::move(entry)) {}

    const std::string& name() const { return entry_.name; }
    bool open_to(std::string_view ns) const;

    /// Null as long as the file could not be read.
    std::shared_ptr<const std::string> value() const;
    /// Whether there is a value; what has one keeps it. Takes no lock.
    bool has_value() const { return has_value_.load(std::memory_order_acquire); }

    /// Reads the file again. A file that cannot be read, or does not hold one line of text, is errc::invalid
    /// and leaves the last value in force.
    result<void> refresh();

private:
    config::credential_entry entry_;
    mutable std::mutex mutex_;
    std::shared_ptr<const std::string> value_;
    std::atomic<bool> has_value_ = false;
};

/// The operator's list of credentials.
class credential_store
{
public:
    explicit credential_store(const std::vector<config::credential_entry>& entries);

    /// errc::invalid where there is none of that name, or the namespace may not use it: both sound alike, so
    /// that nobody learns the names of others.
    result<const credential*> find(std::string_view name, std::string_view ns) const;

    /// Reads all files again; the failures, by name.
    std::vector<std::pair<std::string, error>> refresh();

private:
    std::vector<std::unique_ptr<credential>> all_;
};

}  // namespace portitor::route

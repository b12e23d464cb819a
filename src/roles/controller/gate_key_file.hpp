#pragma once

#include <portitor/api/gate_key.hpp>
#include <portitor/core/timekeeper.hpp>

#include <optional>
#include <string>

namespace portitor::controller {

/// The key that tokens are made with, out of a file that may change. One strand.
class gate_key_file
{
public:
    /// How long a changed key waits: until then the verifiers have it too, on whichever node they run
    /// (kubelets take about two minutes to change mounted files, verifiers ten seconds to see it).
    static constexpr std::chrono::minutes settling{3};

    /// Reads nothing yet. An empty name: there is never a key.
    explicit gate_key_file(std::string path) : path_(std::move(path)) {}

    bool configured() const { return !path_.empty(); }
    const std::optional<api::gate_key>& current() const { return current_; }

    /// Reads the file again; whether current() is another one now. The first key counts at once. A file that
    /// holds no key is an error, and leaves the last one in force.
    result<bool> refresh(timekeeper::time_point now);

private:
    std::string path_;
    std::optional<api::gate_key> current_;
    std::optional<api::gate_key> next_;
    timekeeper::time_point next_from_;
};

}  // namespace portitor::controller

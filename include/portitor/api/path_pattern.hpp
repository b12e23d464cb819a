#pragma once

#include <portitor/core/error.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::api {

/// Whether a path is sold or given away.
enum class gate
{
    paid,
    free,
};

/// Which paths below an offer's a rule is about: "/report", "/files/*", "/users/*/export". Both the
/// controller and the gate read patterns through this class, and only those that have one reading:
///
/// - A segment is a name, or "*" for any one segment. Names are compared to the letter.
/// - "/*" at the end is all below: one segment more, or several. For a paid rule also the path before it, so
///   that "/files/*" sells "/files" too. A free one gives away only what is written.
/// - "/" is the offer's own path.
/// - A path is the same with and without a slash at its end.
///
/// Immutable.
class path_pattern
{
public:
    /// The offer's own path.
    path_pattern() = default;

    /// errc::invalid says what a pattern must be, what is wrong with this one, and what to write instead.
    static result<path_pattern> parse(std::string_view text);

    /// As it is written. Two patterns with one meaning have the same text.
    const std::string& text() const { return text_; }

    /// Whether a rule with this pattern is about a path: its segments below the offer's path, without an
    /// empty last one.
    bool covers(std::span<const std::string_view> path, gate access) const;

    /// Of the patterns that cover a path, the first in this order is the one that applies: segment by segment
    /// a name comes before "*"; then the longer pattern; then one that ends before one that goes on.
    bool is_more_specific_than(const path_pattern& other) const;

    bool operator==(const path_pattern& other) const { return text_ == other.text_; }

private:
    std::string_view segment(std::size_t number) const;
    std::size_t size() const { return ends_.size(); }

    std::string text_ = "/";
    std::vector<std::uint32_t> ends_;  // of the segments in the text, without the "*" of all_below_
    bool all_below_ = false;
};

/// Appends the segments of a pattern or path; a slash at its end adds none.
void append_segments(std::vector<std::string_view>& to, std::string_view path);
std::vector<std::string_view> segments_of(std::string_view path);

}  // namespace portitor::api

#pragma once

#include <portitor/core/error.hpp>

#include <algorithm>
#include <string>
#include <string_view>

namespace portitor::kube {

/// Cuts a stream of arbitrary pieces into lines. A line longer than `longest` is errc::protocol.
class line_splitter
{
public:
    explicit line_splitter(std::size_t longest = 8 * 1024 * 1024) : longest_(longest) {}

    void feed(std::string_view piece)
    {
        // What has been handed out goes first, so that the buffer never holds more than one line and one
        // piece.
        pending_.erase(0, begin_);
        searched_ -= begin_;
        begin_ = 0;
        pending_.append(piece);
    }

    /// The next whole line without its end, valid until the next feed(); false when more is needed.
    result<bool> next(std::string_view& line)
    {
        const auto end = pending_.find('\n', searched_);
        if (std::min(end, pending_.size()) - begin_ > longest_)
            return fail(errc::protocol, "a line of more than {} bytes", longest_);
        if (end == pending_.npos)
        {
            searched_ = pending_.size();
            return false;
        }
        line = std::string_view(pending_).substr(begin_, end - begin_);
        begin_ = searched_ = end + 1;
        return true;
    }

private:
    std::size_t longest_;
    std::string pending_;
    std::size_t begin_ = 0;
    std::size_t searched_ = 0;
};

}  // namespace portitor::kube

#pragma once

#include <string>
#include <string_view>

namespace portitor::http {

/// Writes one response as text: status, headers, then the body, which gives its length. A 304 has neither:
/// its length would be that of the answer it stands for. One use.
class response_writer
{
public:
    /// Appends to `out`. Where `is_head` the body is left out, though not its length.
    response_writer(std::string& out, bool keep_alive, bool is_head)
        : out_(out), begin_(out.size()), keep_alive_(keep_alive), is_head_(is_head)
    {}
    response_writer(const response_writer&) = delete;
    response_writer& operator=(const response_writer&) = delete;

    /// Begins, with a status such as 402. What had been written before is taken back.
    void status(unsigned code);
    /// The value must be free of control characters: it is written as it is.
    void header(std::string_view name, std::string_view value);
    void finish(std::string_view body);

    /// The connection ends behind this answer. Before finish().
    void close_after() noexcept { keep_alive_ = false; }

    /// Whether status() and finish() were called, so that there is an answer.
    bool finished() const noexcept { return finished_; }

private:
    std::string& out_;
    std::size_t begin_;
    bool keep_alive_;
    bool is_head_;
    bool is_bodiless_ = false;
    bool finished_ = false;
};

}  // namespace portitor::http

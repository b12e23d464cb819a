#pragma once

#include "manual_timekeeper.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/kube/environment.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <cstdio>
#include <string>
#include <unistd.h>
#include <utility>

namespace portitor::kube::samples {

/// Runs all that is ready, and what that makes ready; waits for nothing.
inline void settle(boost::asio::io_context& context)
{
    context.restart();
    while (context.poll() > 0)
    {}
}

/// Does it as a coroutine would, and then all that follows from it. What cancels coroutines has to run so:
/// from outside, the cancellation would come later and might find them gone.
template <typename F>
void inside(boost::asio::io_context& context, F work)
{
    boost::asio::post(context, std::move(work));
    settle(context);
}

/// A clock on the wall that shows what the test sets.
class set_clock final : public clock
{
public:
    time_point now() const override { return at; }

    time_point at = from_rfc3339("2026-11-24T20:17:00Z");
};

/// All that surrounds a part of a controller but the API server. Time stands still until the test moves it.
struct surroundings
{
    boost::asio::io_context context;
    test::manual_timekeeper time;
    set_clock wall;
    metrics numbers;
    health checks;

    environment around(api& server, log_level level = log_level::error)
    {
        return {context.get_executor(), server, time, wall, logger(level, log_format::text), numbers, checks};
    }

    void pass(std::chrono::milliseconds by)
    {
        time.advance(by);
        settle(context);
    }

    /// Of a counter or gauge; "none" where there is no such series.
    std::string value_of(const std::string& series) const
    {
        const std::string text = "\n" + numbers.expose();
        const auto at = text.find("\n" + series + " ");
        if (at == text.npos)
            return "none";
        const auto begin = at + series.size() + 2;
        return text.substr(begin, text.find('\n', begin) - begin);
    }
};

/// Takes what is written to stderr while it lives.
class captured_stderr
{
public:
    captured_stderr() : kept_(dup(STDERR_FILENO)), file_(std::tmpfile())
    {
        dup2(fileno(file_), STDERR_FILENO);
    }
    ~captured_stderr()
    {
        dup2(kept_, STDERR_FILENO);
        close(kept_);
        std::fclose(file_);
    }
    captured_stderr(const captured_stderr&) = delete;
    captured_stderr& operator=(const captured_stderr&) = delete;

    std::string text() const
    {
        std::string out;
        char piece[4096];
        std::rewind(file_);
        for (std::size_t got; (got = std::fread(piece, 1, sizeof(piece), file_)) > 0;)
            out.append(piece, got);
        return out;
    }

    /// How many lines hold `part`.
    int count(const std::string& part) const
    {
        const std::string all = text();
        int lines = 0;
        for (auto at = all.find(part); at != all.npos; at = all.find(part, all.find('\n', at)))
            ++lines;
        return lines;
    }

private:
    int kept_;
    std::FILE* file_;
};

}  // namespace portitor::kube::samples

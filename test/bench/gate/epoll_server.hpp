#pragma once

#include "sockets.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace bench {

/// A server of one thread by hand: no framework, no timers, no checks of what it is sent. Buffers belong to
/// the thread; a connection keeps only what did not go through at once.
template <typename Answerer>
class epoll_server
{
public:
    /// @param answer takes the bytes that came and appends to the answers; returns how many bytes the first
    /// request took, and 0 while it is not whole
    explicit epoll_server(Answerer answer) : answer_(std::move(answer)) {}

    /// Calls `on_connection` for each one that is taken; for ever.
    template <typename Counter>
    [[noreturn]] void run(std::uint16_t port, Counter on_connection)
    {
        const int listener = listen_on(port);
        watch(epoll_, EPOLL_CTL_ADD, listener, EPOLLIN, nullptr);
        std::array<epoll_event, 128> events;
        for (;;)
        {
            const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
            for (int i = 0; i < count; ++i)
            {
                if (auto* found = static_cast<connection*>(events[i].data.ptr))
                    serve(found, events[i].events);
                else
                    accept_all(listener, on_connection);
            }
        }
    }

private:
    struct connection
    {
        int socket;
        std::string unread;  ///< of a request that is not whole
        std::string unsent;
    };

    template <typename Counter>
    void accept_all(int listener, Counter on_connection)
    {
        for (int socket = 0; (socket = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;)
        {
            without_delay(socket);
            watch(epoll_, EPOLL_CTL_ADD, socket, EPOLLIN, new connection{socket, {}, {}});
            on_connection();
        }
    }

    void serve(connection* to, std::uint32_t events)
    {
        if ((events & EPOLLOUT) != 0 ? flush(*to) : read(*to))
            return;
        ::close(to->socket);
        delete to;
    }

    bool read(connection& from)
    {
        const ssize_t size = ::recv(from.socket, input_.data(), input_.size(), 0);
        if (size <= 0)
            return size < 0 && would_block();
        const std::string_view came(input_.data(), static_cast<std::size_t>(size));
        if (from.unread.empty())
            return answer_all(from, came);
        std::string whole = std::move(from.unread);
        whole += came;
        return answer_all(from, whole);
    }

    // Keeps of `input` what it cannot answer yet.
    bool answer_all(connection& to, std::string_view input)
    {
        output_.clear();
        while (!input.empty())
        {
            const std::size_t taken = answer_(input, output_);
            if (taken == 0)
                break;
            input.remove_prefix(taken);
        }
        to.unread.assign(input);
        const ssize_t sent =
            output_.empty() ? 0 : ::send(to.socket, output_.data(), output_.size(), MSG_NOSIGNAL);
        if (sent < 0 && !would_block())
            return false;
        const auto done = static_cast<std::size_t>(std::max<ssize_t>(sent, 0));
        if (done == output_.size())
            return true;
        to.unsent.assign(output_, done);
        watch(epoll_, EPOLL_CTL_MOD, to.socket, EPOLLOUT, &to);
        return true;
    }

    // Reads again only when all is sent, so a peer that does not read cannot make it hoard.
    bool flush(connection& to)
    {
        const ssize_t sent = ::send(to.socket, to.unsent.data(), to.unsent.size(), MSG_NOSIGNAL);
        if (sent < 0)
            return would_block();
        to.unsent.erase(0, static_cast<std::size_t>(sent));
        if (!to.unsent.empty())
            return true;
        watch(epoll_, EPOLL_CTL_MOD, to.socket, EPOLLIN, &to);
        return true;
    }

    Answerer answer_;
    int epoll_ = checked(epoll_create1(0), "epoll_create1");
    std::array<char, 65536> input_;
    std::string output_;
};

}  // namespace bench

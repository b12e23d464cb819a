#pragma once

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

/// TCP on 127.0.0.1. What fails throws std::system_error.
namespace bench {

inline int checked(int returned, const char* what)
{
    if (returned < 0)
        throw std::system_error(errno, std::generic_category(), what);
    return returned;
}

inline sockaddr_in loopback(std::uint16_t port)
{
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_port = htons(port);
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return out;
}

/// bind() and connect() want the general type.
inline const sockaddr* general(const sockaddr_in& address)
{
    return reinterpret_cast<const sockaddr*>(&address);
}

inline void without_delay(int socket)
{
    const int on = 1;
    checked(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

inline int listen_on(std::uint16_t port)
{
    const int out = checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    const int on = 1;
    checked(setsockopt(out, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    const sockaddr_in address = loopback(port);
    checked(::bind(out, general(address), sizeof address), "bind");
    checked(::listen(out, SOMAXCONN), "listen");
    return out;
}

inline int connect_to(std::uint16_t port)
{
    const int out = checked(::socket(AF_INET, SOCK_STREAM, 0), "socket");
    const sockaddr_in address = loopback(port);
    checked(::connect(out, general(address), sizeof address), "connect");
    without_delay(out);
    checked(::fcntl(out, F_SETFL, O_NONBLOCK), "O_NONBLOCK");
    return out;
}

/// Watches `socket`, or watches it for something else; `data` comes back with each event.
inline void watch(int epoll, int operation, int socket, std::uint32_t events, void* data)
{
    epoll_event what{};
    what.events = events;
    what.data.ptr = data;
    checked(epoll_ctl(epoll, operation, socket, &what), "epoll_ctl");
}

inline bool would_block()
{
    return errno == EAGAIN || errno == EWOULDBLOCK;
}

}  // namespace bench

#pragma once

#include "wire.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/udp.hpp>

#include <array>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace portitor::test {

/// What a name server says to one question.
struct dns_reply
{
    enum class kind
    {
        answer,     ///< with the addresses of the family that is asked for
        no_name,    ///< NXDOMAIN
        failure,    ///< SERVFAIL
        truncated,  ///< there is more than fits: ask over TCP
        silence,
        drip,  ///< over TCP: a byte now and then
    };

    kind is = kind::answer;
    std::vector<std::string> addresses = {};
    std::uint32_t ttl = 30;
    std::chrono::milliseconds after{0};
};

/// A name server on loopback, over UDP and TCP, that says what the test says.
class dns_server
{
public:
    struct question
    {
        std::string name;
        bool v6 = false;
        bool tcp = false;
    };
    using script = std::function<dns_reply(const question&)>;

    dns_server(boost::asio::io_context& context, script of)
        : script_(std::move(of)), tcp_(context, {boost::asio::ip::address_v4::loopback(), 0}),
          udp_(context, {boost::asio::ip::address_v4::loopback(), port()}),
          tasks_(context.get_executor(), logger(log_level::error, log_format::text))
    {
        tasks_.spawn("udp", serve_udp());
        tasks_.spawn("tcp", serve_tcp());
    }

    std::uint16_t port() const { return tcp_.local_endpoint().port(); }
    std::string address() const { return "127.0.0.1:" + std::to_string(port()); }

    script& says() { return script_; }
    const std::vector<question>& asked() const { return asked_; }

    /// For A records: the names, in the order in which they were asked for.
    std::vector<std::string> names() const
    {
        std::vector<std::string> out;
        for (const question& each : asked_)
        {
            if (!each.v6)
                out.push_back(each.name);
        }
        return out;
    }

    boost::asio::awaitable<void> stop()
    {
        tasks_.cancel();
        co_await tasks_.join();
    }

private:
    using udp = boost::asio::ip::udp;
    using tcp = boost::asio::ip::tcp;

    static void put16(std::string& out, std::size_t number)
    {
        out += static_cast<char>(number >> 8 & 0xff);
        out += static_cast<char>(number & 0xff);
    }

    static question read(const std::string& message, std::size_t& end)
    {
        question out;
        std::size_t at = 12;
        while (message.at(at) != 0)
        {
            const auto size = static_cast<unsigned char>(message[at]);
            out.name += (out.name.empty() ? "" : ".") + message.substr(at + 1, size);
            at += size + 1U;
        }
        out.v6 = message.at(at + 2) == 28;
        end = at + 5;
        return out;
    }

    static std::string write(const std::string& message, std::size_t end, bool v6, const dns_reply& reply)
    {
        std::vector<boost::asio::ip::address> found;
        for (const std::string& each : reply.addresses)
        {
            const auto address = boost::asio::ip::make_address(each);
            if (reply.is == dns_reply::kind::answer && address.is_v6() == v6)
                found.push_back(address);
        }
        std::size_t flags = 0x8180;
        if (reply.is == dns_reply::kind::no_name)
            flags |= 3;
        if (reply.is == dns_reply::kind::failure)
            flags |= 2;
        if (reply.is == dns_reply::kind::truncated)
            flags |= 0x0200;
        std::string out = message.substr(0, 2);
        put16(out, flags);
        put16(out, 1);
        put16(out, found.size());
        put16(out, 0);
        put16(out, 0);
        out += message.substr(12, end - 12);
        for (const auto& each : found)
        {
            put16(out, 0xc00c);
            put16(out, v6 ? 28 : 1);
            put16(out, 1);
            put16(out, reply.ttl >> 16);
            put16(out, reply.ttl & 0xffff);
            put16(out, v6 ? 16 : 4);
            if (v6)
                for (unsigned char byte : each.to_v6().to_bytes())
                    out += static_cast<char>(byte);
            else
                for (unsigned char byte : each.to_v4().to_bytes())
                    out += static_cast<char>(byte);
        }
        return out;
    }

    boost::asio::awaitable<void> serve_udp()
    {
        for (;;)
        {
            std::string message(1024, 0);
            udp::endpoint from;
            const std::size_t size = co_await udp_.async_receive_from(
                boost::asio::buffer(message), from, boost::asio::use_awaitable
            );
            message.resize(size);
            std::size_t end = 0;
            const question about = read(message, end);
            asked_.push_back(about);
            const dns_reply reply = script_(about);
            if (reply.is == dns_reply::kind::silence)
                continue;
            tasks_.spawn("answer", send(write(message, end, about.v6, reply), from, reply.after));
        }
    }

    boost::asio::awaitable<void> send(std::string bytes, udp::endpoint to, std::chrono::milliseconds after)
    {
        if (after > std::chrono::milliseconds(0))
            co_await sleep_for(after);
        co_await udp_.async_send_to(boost::asio::buffer(bytes), to, boost::asio::use_awaitable);
    }

    boost::asio::awaitable<void> serve_tcp()
    {
        for (;;)
        {
            tcp::socket line = co_await tcp_.async_accept(boost::asio::use_awaitable);
            tasks_.spawn("line", serve_line(std::move(line)));
        }
    }

    boost::asio::awaitable<void> serve_line(tcp::socket line)
    {
        for (;;)
        {
            std::array<unsigned char, 2> length{};
            auto [cut, got] = co_await boost::asio::async_read(line, boost::asio::buffer(length), as_result);
            if (cut)
                co_return;
            std::string message(length[0] * 256U + length[1], 0);
            auto [ec, size] = co_await boost::asio::async_read(line, boost::asio::buffer(message), as_result);
            if (ec)
                co_return;
            std::size_t end = 0;
            question about = read(message, end);
            about.tcp = true;
            asked_.push_back(about);
            const dns_reply reply = script_(about);
            if (reply.is == dns_reply::kind::silence)
                continue;
            std::string out;
            const std::string answer = write(message, end, about.v6, reply);
            put16(out, answer.size());
            out += answer;
            const std::size_t piece = reply.is == dns_reply::kind::drip ? 1 : out.size();
            for (std::size_t at = 0; at < out.size(); at += piece)
            {
                const auto part = boost::asio::buffer(out.data() + at, piece);
                auto [gone, sent] = co_await boost::asio::async_write(line, part, as_result);
                if (gone)
                    co_return;
                if (piece == 1)
                    co_await sleep_for(std::chrono::milliseconds(20));
            }
        }
    }

    script script_;
    tcp::acceptor tcp_;  // first: ports of TCP are the scarcer ones
    udp::socket udp_;
    std::vector<question> asked_;
    task_group tasks_;
};

}  // namespace portitor::test

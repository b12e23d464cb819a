#pragma once

#include <portitor/http/message.hpp>

#include <array>
#include <cstddef>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace portitor::http {

/// A request as a server reads it. It keeps its texts in memory of its own, which the next request on the
/// same thread uses again: in the steady state a request costs no allocation. Views into it are valid until
/// clear(). One strand.
class server_request
{
public:
    struct header
    {
        std::string_view name;
        std::string_view value;
    };

    server_request() = default;
    server_request(const server_request&) = delete;
    server_request& operator=(const server_request&) = delete;

    verb method() const noexcept { return method_; }
    std::string_view method_string() const noexcept { return method_text_; }
    std::string_view target() const noexcept { return target_; }
    /// 10 or 11.
    unsigned version() const noexcept { return version_; }
    /// Whether the client lets another request follow on the connection.
    bool keep_alive() const noexcept { return keep_alive_; }
    std::string_view body() const noexcept { return body_; }

    /// All header fields, in their order.
    std::span<const header> headers() const noexcept { return headers_; }
    /// The value of the first field of that name, in any case; empty where there is none.
    std::string_view operator[](std::string_view name) const noexcept;

    // For who reads, or makes up, a request.
    void clear();
    void set_start(verb method, std::string_view method_text, std::string_view target, unsigned version);
    void add_header(std::string_view name, std::string_view value);
    void append_body(std::string_view piece) { body_ += piece; }
    void set_keep_alive(bool keep) noexcept { keep_alive_ = keep; }

private:
    std::string_view keep(std::string_view text);

    static constexpr std::size_t usual_size = 8 * 1024;

    std::array<char, usual_size> usual_{};
    std::pmr::monotonic_buffer_resource texts_{usual_.data(), usual_.size()};
    std::vector<header> headers_;
    std::string_view method_text_;
    std::string_view target_;
    std::string body_;
    verb method_ = verb::get;
    unsigned version_ = 11;
    bool keep_alive_ = true;
};

/// Whether two names are equal in any case of their ASCII letters.
bool equal_names(std::string_view left, std::string_view right) noexcept;

}  // namespace portitor::http

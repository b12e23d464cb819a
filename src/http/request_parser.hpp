#pragma once

#include <portitor/http/server_request.hpp>

#include <boost/beast/http/basic_parser.hpp>

namespace portitor::http {

/// Reads one HTTP/1.1 request into a server_request. Beast holds the grammar and the limits; a request of
/// HTTP/1.1 has exactly one Host (RFC 9112 3.2).
class request_parser final : public boost::beast::http::basic_parser<true>
{
public:
    explicit request_parser(server_request& into) : into_(into) { eager(true); }

private:
    using text = boost::beast::string_view;
    using error_code = boost::beast::error_code;

    static std::string_view view(text from) { return {from.data(), from.size()}; }

    void on_request_impl(verb method, text method_text, text target, int version, error_code&) override
    {
        into_.set_start(method, view(method_text), view(target), static_cast<unsigned>(version));
    }
    void on_response_impl(int, text, int, error_code&) override {}
    void on_field_impl(field which, text name, text value, error_code& ec) override
    {
        // Beast takes the body for absent where the encoding is another one: it would be the next request.
        if (which == field::transfer_encoding &&
            (into_.version() < 11 || !equal_names(view(value), "chunked")))
            ec = boost::beast::http::error::bad_transfer_encoding;
        // Fields after the body are none of the header's: nothing may be decided on them.
        if (in_body_)
            return;
        hosts_ += which == field::host ? 1 : 0;
        into_.add_header(view(name), view(value));
    }
    void on_header_impl(error_code& ec) override
    {
        in_body_ = true;
        if (hosts_ > 1 || (hosts_ == 0 && into_.version() >= 11))
            ec = boost::beast::http::error::bad_field;
    }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(text body, error_code&) override
    {
        into_.append_body(view(body));
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t, text, error_code&) override {}
    std::size_t on_chunk_body_impl(std::uint64_t, text body, error_code&) override
    {
        into_.append_body(view(body));
        return body.size();
    }
    void on_finish_impl(error_code&) override { into_.set_keep_alive(keep_alive()); }

    server_request& into_;
    unsigned hosts_ = 0;
    bool in_body_ = false;
};

}  // namespace portitor::http

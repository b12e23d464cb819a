#include <portitor/core/response_writer.hpp>

#include <boost/beast/http/status.hpp>

#include <array>
#include <charconv>

namespace portitor::http {

namespace {

void append_number(std::string& out, std::size_t number)
{
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

}  // namespace

void response_writer::status(unsigned code)
{
    out_.resize(begin_);
    finished_ = false;
    out_ += "HTTP/1.1 ";
    append_number(out_, code);
    out_ += ' ';
    const auto reason = boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(code));
    out_.append(reason.data(), reason.size());
    out_ += "\r\n";
}

void response_writer::header(std::string_view name, std::string_view value)
{
    out_ += name;
    out_ += ": ";
    out_ += value;
    out_ += "\r\n";
}

void response_writer::finish(std::string_view body)
{
    // HTTP/1.0 clients close unless told otherwise, HTTP/1.1 clients keep.
    out_ +=
        keep_alive_ ? "Connection: keep-alive\r\nContent-Length: " : "Connection: close\r\nContent-Length: ";
    append_number(out_, body.size());
    out_ += "\r\n\r\n";
    if (!is_head_)
        out_ += body;
    finished_ = true;
}

}  // namespace portitor::http

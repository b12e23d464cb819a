#include <portitor/http/response_writer.hpp>

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
    is_bodiless_ = code == 304;
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
    out_ += keep_alive_ ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
    if (!is_bodiless_)
    {
        out_ += "Content-Length: ";
        append_number(out_, body.size());
        out_ += "\r\n";
    }
    out_ += "\r\n";
    if (!is_head_ && !is_bodiless_)
        out_ += body;
    finished_ = true;
}

}  // namespace portitor::http

#include "roles/verifier/fronts/answer.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>

#include <stdexcept>

namespace portitor::verifier {

namespace json = boost::json;

void answer::header(std::string_view name, std::string_view value)
{
    if (count_ == most)
        throw std::length_error("an answer has too many headers");
    fields_[count_++] = {name, value};
}

void answer::body(std::string_view type, std::string_view text)
{
    header("Content-Type", type);
    body_ = text;
}

void answer::write(http::response_writer& out) const
{
    out.status(status_);
    for (std::size_t i = 0; i < count_; ++i)
        out.header(fields_[i].name, fields_[i].value);
    out.finish(body_);
}

void write_refusal(std::string& text, std::string_view code, std::string_view message)
{
    const auto quoted = [](std::string_view value) {
        return json::serialize(json::string_view(value.data(), value.size()));
    };
    text = "{\"error\":" + quoted(code) + ",\"message\":" + quoted(message) + "}";
}

}  // namespace portitor::verifier

#pragma once

#include "route/outcome.hpp"

#include <portitor/http/response_writer.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace portitor::verifier {

/// One answer to the gateway, before it is written. Names, values and body are views: write it at once.
class answer
{
public:
    answer(route::outcome what, unsigned status) : what_(what), status_(status) {}

    /// At most `most` of them; the value must be free of control characters.
    void header(std::string_view name, std::string_view value);
    void body(std::string_view type, std::string_view text);

    route::outcome what() const { return what_; }
    unsigned status() const { return status_; }

    void write(http::response_writer& out) const;

private:
    static constexpr std::size_t most = 24;

    struct field
    {
        std::string_view name;
        std::string_view value;
    };

    route::outcome what_;
    unsigned status_;
    std::array<field, most> fields_;
    std::size_t count_ = 0;
    std::string_view body_;
};

/// {"error": code, "message": message}, as refusals carry it, written into `text`.
void write_refusal(std::string& text, std::string_view code, std::string_view message);

}  // namespace portitor::verifier

#pragma once

#include "sandbox/server.hpp"

#include <portitor/http/message.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace portitor::sandbox {

/// The body of a watch: changes as they happen, bookmarks, and its end.
class watch_stream final : public http::body_stream
{
public:
    struct request
    {
        kind_info kind;
        kube::object_predicate which;
        bool metadata_only = false;
        std::uint64_t from = 0;  ///< what has been seen
        std::chrono::seconds timeout{};
        bool too_old = false;  ///< there is nothing to be said but that
    };

    watch_stream(server& of, request what);

    unsigned status_code() const override { return 200; }
    const boost::beast::http::fields& headers() const override { return headers_; }

    /// errc::unavailable where the server was stopped or the watch was broken.
    boost::asio::awaitable<result<std::string>> read_some(std::chrono::milliseconds idle) override;

private:
    bool is_broken() const;
    std::string next_text();

    server& server_;
    request what_;
    server::happenings opened_;
    timekeeper::time_point end_;
    timekeeper::time_point next_bookmark_;
    bool over_ = false;
    boost::beast::http::fields headers_;
};

}  // namespace portitor::sandbox

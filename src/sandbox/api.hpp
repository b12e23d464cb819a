#pragma once

#include "sandbox/server.hpp"

#include <portitor/core/metrics.hpp>
#include <portitor/kube/api.hpp>

namespace portitor::sandbox {

/// One client of a sandbox::server: what kube::make_api() is to a real one, without a connection. Objects go
/// through the same readers of text as they do there. It repeats and throttles nothing: there is nothing to
/// be spared. A request takes one turn of its executor, so nobody can rely on an answer at once; one that is
/// canceled before has not been carried out. A server that stands still is waited for as long as a real one
/// (30 s; errc::timed_out), one that is stopped is errc::unavailable. One strand, the server's.
class api final : public kube::api
{
public:
    /// Counts rest_client_requests_total, with the host "sandbox". @pre both outlive it
    api(sandbox::server& server, metrics& numbers) : server_(server), numbers_(numbers) {}

    boost::asio::awaitable<kube::api_result<kube::object_ptr>>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override;

    boost::asio::awaitable<kube::api_result<kube::list_page>> list(
        kube::resource kind, kube::selection which, kube::list_position from, kube::item_handler each
    ) override;

    /// A watch from a version that has grown too old opens, and says 410 then, as the watch cache of a real
    /// server does. There is a bookmark every minute, and one before the end.
    boost::asio::awaitable<kube::api_result<std::unique_ptr<http::body_stream>>> watch(
        kube::resource kind, kube::selection which, std::string resource_version, std::chrono::seconds timeout
    ) override;

    boost::asio::awaitable<kube::api_result<kube::object_ptr>>
    apply(kube::resource kind, boost::json::object wanted, kube::apply_options how) override;

    boost::asio::awaitable<kube::api_result<kube::object_ptr>>
    patch(kube::resource kind, kube::object_key key, boost::json::array operations) override;

    boost::asio::awaitable<kube::api_result<kube::object_ptr>>
    replace(kube::resource kind, boost::json::object whole, kube::request_class urgency) override;

    boost::asio::awaitable<kube::api_result<kube::object_ptr>>
    create(kube::resource kind, boost::json::object wanted, kube::request_class urgency) override;

    boost::asio::awaitable<kube::api_result<void>>
    remove(kube::resource kind, kube::object_key key, kube::delete_options which) override;

    /// It has no other documents, and is waited for as with all requests.
    boost::asio::awaitable<result<http::response>>
    ask(http::verb method, std::string target, std::string body) override;

    std::optional<clock::time_point> server_time() const override { return server_.wall().now(); }

private:
    boost::asio::awaitable<kube::api_result<void>> reach(const char* method);
    void count(const char* method, unsigned code);
    kube::api_error failure(const char* method, const answer& said);
    kube::api_result<kube::object_ptr> object_of(const char* method, answer said);

    sandbox::server& server_;
    metrics& numbers_;
};

}  // namespace portitor::sandbox

#pragma once

#include <portitor/core/task_group.hpp>
#include <portitor/kube/api.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace portitor::kube::samples {

/// A watch's body: the pieces in their order; then its end, or silence where there is none.
class scripted_stream final : public http::body_stream
{
public:
    scripted_stream(std::deque<result<std::string>> pieces, bool ends)
        : pieces_(std::move(pieces)), ends_(ends)
    {}

    unsigned status_code() const override { return 200; }
    const boost::beast::http::fields& headers() const override { return headers_; }

    boost::asio::awaitable<result<std::string>> read_some(std::chrono::milliseconds) override
    {
        if (pieces_.empty() && !ends_)
            co_await sleep_for(std::chrono::hours(1));
        if (pieces_.empty())
            co_return std::string();
        auto piece = std::move(pieces_.front());
        pieces_.pop_front();
        co_return piece;
    }

private:
    std::deque<result<std::string>> pieces_;
    bool ends_;
    boost::beast::http::fields headers_;
};

/// An API server that says what the test wrote, in that order, and keeps silent afterwards.
class scripted_api final : public api
{
public:
    /// What was asked for: "list <version> <token>", "watch <version>", "create".
    std::vector<std::string> calls;
    std::vector<boost::json::object> created;
    std::optional<api_error> create_failure;
    bool create_hangs = false;

    void on_list(api_result<object_page> page) { pages_.push_back(std::move(page)); }
    void on_list(std::vector<object_ptr> items, std::string version, std::string more = "")
    {
        object_page page;
        page.items = std::move(items);
        page.resource_version = std::move(version);
        page.continue_token = std::move(more);
        pages_.emplace_back(std::move(page));
    }

    void on_watch(std::deque<result<std::string>> pieces, bool ends)
    {
        watches_.emplace_back(std::make_unique<scripted_stream>(std::move(pieces), ends));
    }
    void on_watch(const api_error& failure) { watches_.emplace_back(failure); }

    boost::asio::awaitable<api_result<object_page>>
    list(resource, selection, std::string resource_version, std::string continue_token) override
    {
        calls.push_back("list " + resource_version + " " + continue_token);
        if (pages_.empty())
            co_await sleep_for(std::chrono::hours(1));
        auto page = std::move(pages_.front());
        pages_.pop_front();
        co_return page;
    }

    boost::asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
    watch(resource, selection, std::string resource_version, std::chrono::seconds) override
    {
        calls.push_back("watch " + resource_version);
        if (watches_.empty())
            co_await sleep_for(std::chrono::hours(1));
        auto stream = std::move(watches_.front());
        watches_.pop_front();
        co_return std::move(stream);
    }

    boost::asio::awaitable<api_result<void>> create(resource, boost::json::object wanted) override
    {
        calls.push_back("create");
        created.push_back(std::move(wanted));
        if (create_hangs)
            co_await sleep_for(std::chrono::hours(1));
        if (create_failure)
            co_return *create_failure;
        co_return api_result<void>();
    }

    boost::asio::awaitable<api_result<object_ptr>> get(resource, object_key) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<object_ptr>>
    apply(resource, boost::json::object, std::string, std::string) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<object_ptr>> patch(resource, object_key, boost::json::array) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<void>> remove(resource, object_key, std::string) override
    {
        co_return unexpected();
    }

private:
    static api_error unexpected() { return api_error(fail(errc::invalid, "this test scripts no such call")); }

    std::deque<api_result<object_page>> pages_;
    std::deque<api_result<std::unique_ptr<http::body_stream>>> watches_;
};

}  // namespace portitor::kube::samples

#pragma once

#include <portitor/core/task_group.hpp>
#include <portitor/kube/api.hpp>

#include <boost/json/array.hpp>
#include <boost/json/monotonic_resource.hpp>

#include <deque>
#include <functional>
#include <map>
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
    scripted_stream(
        std::deque<result<std::string>> pieces, bool ends, std::vector<std::chrono::milliseconds>& idles
    )
        : pieces_(std::move(pieces)), ends_(ends), idles_(idles)
    {}

    unsigned status_code() const override { return 200; }
    const boost::beast::http::fields& headers() const override { return headers_; }

    boost::asio::awaitable<result<std::string>> read_some(std::chrono::milliseconds idle) override
    {
        idles_.push_back(idle);
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
    std::vector<std::chrono::milliseconds>& idles_;
    boost::beast::http::fields headers_;
};

/// An API server that says what the test wrote, in that order, and keeps silent afterwards.
class scripted_api final : public api
{
public:
    /// What was asked for: "list <version> <token>", "watch <version>", "create", "patch <key>".
    std::vector<std::string> calls;
    std::vector<std::chrono::seconds> watch_timeouts;
    std::vector<std::chrono::milliseconds> idles;  ///< of each read of a watch
    std::vector<boost::json::object> created;
    std::vector<boost::json::array> patched;
    std::map<std::string, std::string> cuts;  ///< by name: what is missing of a listed object
    std::optional<api_error> create_failure;
    std::optional<api_error> patch_failure;
    /// Run before a list, or a write, is answered.
    std::function<boost::asio::awaitable<void>()> before_list;
    std::function<boost::asio::awaitable<void>()> before_write;

    void on_list(std::vector<boost::json::object> items, std::string version, std::string more = "")
    {
        list_page page;
        page.resource_version = std::move(version);
        page.continue_token = std::move(more);
        pages_.push_back({std::move(items), std::move(page)});
    }
    /// A list that ends so, after some of its items have come.
    void on_list(const api_error& failure, std::vector<boost::json::object> items = {})
    {
        pages_.push_back({std::move(items), failure});
    }

    void on_watch(std::deque<result<std::string>> pieces, bool ends)
    {
        watches_.emplace_back(std::make_unique<scripted_stream>(std::move(pieces), ends, idles));
    }
    void on_watch(const api_error& failure) { watches_.emplace_back(failure); }

    boost::asio::awaitable<api_result<list_page>>
    list(resource, selection, list_position from, item_handler each) override
    {
        calls.push_back("list " + from.resource_version + " " + from.continue_token);
        if (before_list)
            co_await before_list();
        if (pages_.empty())
            co_await sleep_for(std::chrono::hours(1));
        const scripted_page script = std::move(pages_.front());
        pages_.pop_front();
        for (const boost::json::object& item : script.items)
        {
            // Gone after the call, as the real one's.
            boost::json::monotonic_resource memory;
            const auto cut = cuts.find(string_at(item, "metadata.name"));
            const auto taken = each(
                boost::json::object(item, &memory), cut == cuts.end() ? std::string_view() : cut->second
            );
            if (!taken)
                co_return api_error(taken.error());
        }
        co_return script.end;
    }

    boost::asio::awaitable<api_result<std::unique_ptr<http::body_stream>>>
    watch(resource, selection, std::string resource_version, std::chrono::seconds timeout) override
    {
        calls.push_back("watch " + resource_version);
        watch_timeouts.push_back(timeout);
        if (watches_.empty())
            co_await sleep_for(std::chrono::hours(1));
        auto stream = std::move(watches_.front());
        watches_.pop_front();
        co_return std::move(stream);
    }

    boost::asio::awaitable<api_result<object_ptr>>
    create(resource, boost::json::object wanted, request_class) override
    {
        calls.push_back("create");
        created.push_back(wanted);
        if (before_write)
            co_await before_write();
        if (create_failure)
            co_return *create_failure;
        co_return parse_object(std::move(wanted)).value();
    }

    boost::asio::awaitable<api_result<object_ptr>>
    patch(resource, object_key key, boost::json::array operations) override
    {
        calls.push_back("patch " + key.to_string());
        patched.push_back(std::move(operations));
        if (before_write)
            co_await before_write();
        if (patch_failure)
            co_return *patch_failure;
        co_return object_ptr();
    }

    boost::asio::awaitable<api_result<object_ptr>> get(resource, object_key, request_class) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<object_ptr>>
    apply(resource, boost::json::object, apply_options) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<object_ptr>>
    replace(resource, boost::json::object, request_class) override
    {
        co_return unexpected();
    }
    boost::asio::awaitable<api_result<void>> remove(resource, object_key, delete_options) override
    {
        co_return unexpected();
    }

private:
    struct scripted_page
    {
        std::vector<boost::json::object> items;
        api_result<list_page> end;
    };

    static api_error unexpected() { return api_error(fail(errc::invalid, "this test scripts no such call")); }

    std::deque<scripted_page> pages_;
    std::deque<api_result<std::unique_ptr<http::body_stream>>> watches_;
};

}  // namespace portitor::kube::samples

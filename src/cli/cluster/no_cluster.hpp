#pragma once

#include <portitor/kube/api.hpp>

namespace portitor::cli {

/// An API server that has nothing, for commands that look at files alone: lists are empty, every other
/// request is refused.
class no_cluster final : public kube::api
{
public:
    template <typename T>
    using answer = boost::asio::awaitable<kube::api_result<T>>;

    answer<kube::object_ptr> get(kube::resource, kube::object_key, kube::request_class) override;
    answer<kube::list_page>
        list(kube::resource, kube::selection, kube::list_position, kube::item_handler) override;
    answer<std::unique_ptr<http::body_stream>>
        watch(kube::resource, kube::selection, std::string, std::chrono::seconds) override;
    answer<kube::object_ptr> apply(kube::resource, boost::json::object, kube::apply_options) override;
    answer<kube::object_ptr> patch(kube::resource, kube::object_key, boost::json::array) override;
    answer<kube::object_ptr> replace(kube::resource, boost::json::object, kube::request_class) override;
    answer<kube::object_ptr> create(kube::resource, boost::json::object, kube::request_class) override;
    answer<void> remove(kube::resource, kube::object_key, kube::delete_options) override;
};

}  // namespace portitor::cli

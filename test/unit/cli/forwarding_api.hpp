#pragma once

#include <portitor/kube/api.hpp>

#include <memory>
#include <string>

namespace portitor::cli::samples {

/// Hands everything on to another one. A test changes what it is about.
class forwarding_api : public kube::api
{
public:
    template <typename T>
    using answer = boost::asio::awaitable<kube::api_result<T>>;

    explicit forwarding_api(std::unique_ptr<kube::api> inner) : inner_(std::move(inner)) {}

    answer<kube::object_ptr>
    get(kube::resource kind, kube::object_key key, kube::request_class urgency) override
    {
        return inner_->get(kind, std::move(key), urgency);
    }
    answer<kube::list_page> list(
        kube::resource kind, kube::selection which, kube::list_position from, kube::item_handler each
    ) override
    {
        return inner_->list(kind, std::move(which), std::move(from), std::move(each));
    }
    answer<std::unique_ptr<http::body_stream>> watch(
        kube::resource kind, kube::selection which, std::string version, std::chrono::seconds timeout
    ) override
    {
        return inner_->watch(kind, std::move(which), std::move(version), timeout);
    }
    answer<kube::object_ptr>
    apply(kube::resource kind, boost::json::object wanted, kube::apply_options how) override
    {
        return inner_->apply(kind, std::move(wanted), std::move(how));
    }
    answer<kube::object_ptr>
    patch(kube::resource kind, kube::object_key key, boost::json::array operations) override
    {
        return inner_->patch(kind, std::move(key), std::move(operations));
    }
    answer<kube::object_ptr>
    replace(kube::resource kind, boost::json::object whole, kube::request_class urgency) override
    {
        return inner_->replace(kind, std::move(whole), urgency);
    }
    answer<kube::object_ptr>
    create(kube::resource kind, boost::json::object wanted, kube::request_class urgency) override
    {
        return inner_->create(kind, std::move(wanted), urgency);
    }
    answer<void> remove(kube::resource kind, kube::object_key key, kube::delete_options which) override
    {
        return inner_->remove(kind, std::move(key), std::move(which));
    }

private:
    const std::unique_ptr<kube::api> inner_;
};

}  // namespace portitor::cli::samples

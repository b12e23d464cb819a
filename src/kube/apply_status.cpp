#include <portitor/kube/apply_status.hpp>

namespace portitor::kube {

boost::asio::awaitable<result<object_ptr>>
apply_status(api& server, resource kind, object_identity of, boost::json::object status, std::string manager)
{
    apply_options how;
    how.field_manager = std::move(manager);
    how.subresource = "status";
    auto applied = co_await server.apply(kind, make_status(kind, of, std::move(status)), std::move(how));
    if (applied)
        co_return std::move(*applied);
    if (applied.error().is_not_found() || applied.error().is_conflict())
        co_return object_ptr();
    co_return applied.error().to_error();
}

}  // namespace portitor::kube

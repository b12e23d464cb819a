#include "cli/cluster/no_cluster.hpp"

namespace portitor::cli {

namespace {

kube::api_error nothing_there()
{
    return kube::api_error(fail(errc::unavailable, "no cluster is looked at"));
}

}  // namespace

no_cluster::answer<kube::object_ptr> no_cluster::get(kube::resource, kube::object_key, kube::request_class)
{
    co_return nothing_there();
}

no_cluster::answer<kube::list_page>
no_cluster::list(kube::resource, kube::selection, kube::list_position, kube::item_handler)
{
    co_return kube::list_page();
}

no_cluster::answer<std::unique_ptr<http::body_stream>>
no_cluster::watch(kube::resource, kube::selection, std::string, std::chrono::seconds)
{
    co_return nothing_there();
}

no_cluster::answer<kube::object_ptr>
no_cluster::apply(kube::resource, boost::json::object, kube::apply_options)
{
    co_return nothing_there();
}

no_cluster::answer<kube::object_ptr> no_cluster::patch(kube::resource, kube::object_key, boost::json::array)
{
    co_return nothing_there();
}

no_cluster::answer<kube::object_ptr>
no_cluster::replace(kube::resource, boost::json::object, kube::request_class)
{
    co_return nothing_there();
}

no_cluster::answer<kube::object_ptr>
no_cluster::create(kube::resource, boost::json::object, kube::request_class)
{
    co_return nothing_there();
}

no_cluster::answer<void> no_cluster::remove(kube::resource, kube::object_key, kube::delete_options)
{
    co_return nothing_there();
}

}  // namespace portitor::cli

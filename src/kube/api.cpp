#include <portitor/kube/api.hpp>

namespace portitor::kube {

boost::asio::awaitable<result<http::response>> api::ask(http::verb, std::string target, std::string)
{
    co_return fail(errc::unavailable, "this API server does not answer {}", target);
}

}  // namespace portitor::kube

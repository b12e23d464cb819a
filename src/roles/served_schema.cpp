#include "roles/served_schema.hpp"

#include <boost/json/parse.hpp>

namespace portitor::roles {

namespace asio = boost::asio;
namespace json = boost::json;

asio::awaitable<std::optional<api::served_schema>> ask_served_schema(kube::api& server)
{
    const auto said = co_await server.ask(http::verb::get, api::served_schema_path);
    if (!said || said->result_int() != 200)
        co_return std::nullopt;
    boost::system::error_code failed;
    const json::value document = json::parse(said->body(), failed);
    const json::object* read = document.if_object();
    co_return read ? std::optional(api::read_served_schema(*read)) : std::nullopt;
}

}  // namespace portitor::roles

#include "roles/served_schema.hpp"

#include <boost/json/parse.hpp>

#include <chrono>
#include <utility>

namespace portitor::roles {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

constexpr std::chrono::seconds between_looks(30);

}  // namespace

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

asio::awaitable<bool> look_at_served_schema(kube::api& server, api::served_schema& known)
{
    auto served = co_await ask_served_schema(server);
    if (!served || *served == known)
        co_return false;
    known = std::move(*served);
    co_return true;
}

asio::awaitable<void> follow_served_schema(
    kube::api& server, timekeeper& time, api::served_schema& known, std::function<void()> changed
)
{
    for (;;)
    {
        co_await time.sleep_for(between_looks);
        const bool others = co_await look_at_served_schema(server, known);
        if (others)
            changed();
    }
}

}  // namespace portitor::roles

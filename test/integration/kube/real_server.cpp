#include "real_server.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdlib>
#include <stdexcept>

namespace portitor::test {

namespace asio = boost::asio;
namespace json = boost::json;

real_server::real_server(asio::io_context& context) : control_(context)
{
    const char* path = std::getenv("PORTITOR_TEST_CONTROL");
    if (!path)
        throw std::runtime_error("PORTITOR_TEST_CONTROL is not set: run test/integration/test_kube.py");
    control_.connect(asio::local::stream_protocol::endpoint(path));
}

bool real_server::can(ability what) const
{
    return what == ability::garbage_collection || what == ability::processes;
}

asio::awaitable<json::object> real_server::command(std::string name, json::object more)
{
    more["command"] = name;
    const std::string line = json::serialize(more) + "\n";
    co_await asio::async_write(control_, asio::buffer(line), asio::use_awaitable);
    const std::size_t size =
        co_await asio::async_read_until(control_, asio::dynamic_buffer(received_), '\n', asio::use_awaitable);
    const json::object answer = json::parse(received_.substr(0, size)).as_object();
    received_.erase(0, size);
    if (const json::value* failure = answer.if_contains("error"))
        throw std::runtime_error(name + ": " + std::string(failure->as_string()));
    co_return answer;
}

asio::awaitable<void> real_server::simple(std::string name)
{
    co_await command(std::move(name));
}

asio::awaitable<void> real_server::reset()
{
    const json::object answer = co_await command("reset");
    kubeconfig_ = answer.at("kubeconfig").as_string();
    token_kubeconfig_ = answer.at("token_kubeconfig").as_string();
}

asio::awaitable<void> real_server::stop()
{
    return simple("stop");
}

asio::awaitable<void> real_server::start()
{
    return simple("start");
}

asio::awaitable<void> real_server::freeze()
{
    return simple("freeze");
}

asio::awaitable<void> real_server::thaw()
{
    return simple("thaw");
}

asio::awaitable<void> real_server::compact()
{
    return simple("compact");
}

asio::awaitable<void> real_server::drop_kind()
{
    return simple("drop_kind");
}

asio::awaitable<void> real_server::add_kind()
{
    return simple("add_kind");
}

asio::awaitable<void> real_server::rotate_token()
{
    return simple("rotate_token");
}

asio::awaitable<void> real_server::remove_unseen(kube::object_key widget)
{
    json::object more;
    more["namespace"] = widget.ns;
    more["name"] = widget.name;
    co_await command("remove_unseen", std::move(more));
}

}  // namespace portitor::test

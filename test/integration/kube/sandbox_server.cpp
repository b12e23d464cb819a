#include "sandbox_server.hpp"

#include "sandbox/api.hpp"
#include "widget_kinds.hpp"

namespace portitor::test {

namespace asio = boost::asio;

sandbox_server::sandbox_server(asio::any_io_executor executor, timekeeper& time)
    : server_(std::move(executor), time, wall_)
{
    add_kinds(server_.storage());
}

bool sandbox_server::can(ability what) const
{
    return what == ability::fast_time || what == ability::history_after_restart;
}

std::unique_ptr<kube::api> sandbox_server::connect(metrics& numbers)
{
    return std::make_unique<sandbox::api>(server_, numbers);
}

asio::awaitable<void> sandbox_server::stop()
{
    server_.stop();
    co_return;
}

asio::awaitable<void> sandbox_server::start()
{
    server_.start();
    co_return;
}

asio::awaitable<void> sandbox_server::freeze()
{
    server_.freeze();
    co_return;
}

asio::awaitable<void> sandbox_server::thaw()
{
    server_.thaw();
    co_return;
}

asio::awaitable<void> sandbox_server::compact()
{
    server_.stop();
    server_.storage().compact();
    server_.start();
    co_return;
}

asio::awaitable<void> sandbox_server::drop_kind()
{
    server_.storage().drop_kind(widget_kind().id());
    co_return;
}

asio::awaitable<void> sandbox_server::add_kind()
{
    server_.storage().add_kind(widget_kind());
    co_return;
}

asio::awaitable<void> sandbox_server::rotate_token()
{
    // A client of it shows none.
    co_return;
}

asio::awaitable<void> sandbox_server::remove_unseen(kube::object_key widget)
{
    server_.storage().remove(widget_kind().id(), widget);
    co_return;
}

}  // namespace portitor::test

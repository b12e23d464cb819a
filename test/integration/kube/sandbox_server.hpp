#pragma once

#include "sandbox/server.hpp"
#include "server_under_test.hpp"

#include <portitor/core/clock.hpp>

#include <boost/asio/any_io_executor.hpp>

namespace portitor::test {

/// The API server in memory, in the test's own time.
class sandbox_server final : public server_under_test
{
public:
    sandbox_server(boost::asio::any_io_executor executor, timekeeper& time);

    bool can(ability what) const override;
    std::unique_ptr<kube::api> connect(metrics& numbers) override;
    std::string kubeconfig() override { return {}; }
    std::string token_kubeconfig() override { return {}; }
    boost::asio::awaitable<void> stop() override;
    boost::asio::awaitable<void> start() override;
    boost::asio::awaitable<void> freeze() override;
    boost::asio::awaitable<void> thaw() override;
    boost::asio::awaitable<void> compact() override;
    boost::asio::awaitable<void> drop_kind() override;
    boost::asio::awaitable<void> add_kind() override;
    boost::asio::awaitable<void> rotate_token() override;
    boost::asio::awaitable<void> remove_unseen(kube::object_key widget) override;

private:
    system_clock wall_;
    sandbox::server server_;
};

}  // namespace portitor::test

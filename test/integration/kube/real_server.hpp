#pragma once

#include "server_under_test.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/json/object.hpp>

#include <string>

namespace portitor::test {

/// The real API server with etcd and a controller manager, in whose network namespace this process runs. What
/// is done to them is done by test_kube.py, on the other side of the socket PORTITOR_TEST_CONTROL.
class real_server final : public server_under_test
{
public:
    explicit real_server(boost::asio::io_context& context);

    bool can(ability what) const override;
    std::string kubeconfig() override { return kubeconfig_; }
    std::string token_kubeconfig() override { return token_kubeconfig_; }
    boost::asio::awaitable<void> stop() override;
    boost::asio::awaitable<void> start() override;
    boost::asio::awaitable<void> freeze() override;
    boost::asio::awaitable<void> thaw() override;
    boost::asio::awaitable<void> compact() override;
    boost::asio::awaitable<void> drop_kind() override;
    boost::asio::awaitable<void> add_kind() override;
    boost::asio::awaitable<void> rotate_token() override;
    boost::asio::awaitable<void> remove_unseen(kube::object_key widget) override;

    /// Everything as at the start: all processes run, and there is nothing of what earlier cases left.
    boost::asio::awaitable<void> reset();

    /// One command of test_kube.py; throws where it fails.
    boost::asio::awaitable<boost::json::object> command(std::string name, boost::json::object more = {});

private:
    boost::asio::awaitable<void> simple(std::string name);

    boost::asio::local::stream_protocol::socket control_;
    std::string received_;
    std::string kubeconfig_;
    std::string token_kubeconfig_;
};

}  // namespace portitor::test

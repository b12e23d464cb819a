#pragma once

#include "roles/process.hpp"
#include "roles/verifier/options.hpp"
#include "roles/verifier/payment_metrics.hpp"
#include "roles/verifier/till.hpp"

#include <portitor/core/task_group.hpp>
#include <portitor/http/client.hpp>
#include <portitor/x402/account_memory.hpp>
#include <portitor/x402/guarded_facilitator.hpp>
#include <portitor/x402/payment_engine.hpp>
#include <portitor/x402/settlement_chain.hpp>
#include <portitor/x402/signature_judge.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace portitor::verifier {

/// The engine of payments and everything that it works with: facilitators, nodes, the record, metrics, log.
/// All of it lives on one strand, though it is made before and goes after the thread that runs that.
class payment_service
{
public:
    /// Opens the record too. The process and the options must outlive this. The error names the setting.
    static result<std::unique_ptr<payment_service>>
    make(const roles::process& around, const options& wanted, boost::asio::any_io_executor strand);

    payment_service(const payment_service&) = delete;
    payment_service& operator=(const payment_service&) = delete;

    /// For the fronts of all threads.
    const till& counter() const { return *till_; }

    /// Begins the engine's own work; where that ends by itself, the process ends in order, with 1. Before the
    /// strand runs, or on it.
    void start();

    /// Returns when no payment is under way any more, those included whose buyers have been told to come
    /// again, and has then left the record; at the deadline it waits no longer. On the strand.
    boost::asio::awaitable<void> finish(std::chrono::steady_clock::time_point deadline);

    /// Why no payments are taken now, in an operator's words; empty where they are. Any thread.
    std::optional<std::string> away() const;

private:
    payment_service(const roles::process& around, boost::asio::any_io_executor strand);

    result<void> assemble(const options& wanted);
    result<void> ask_nodes(const options& wanted);
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<void> keep_publishing();
    void publish();
    void end_process();

    const roles::process& around_;
    const boost::asio::any_io_executor strand_;
    std::unique_ptr<http::client> client_;
    std::optional<x402::rpc_settlement_chain> chain_;
    std::optional<x402::account_memory> accounts_;
    std::optional<x402::signature_judge> signatures_;
    std::optional<x402::http_facilitator> facilitator_;
    std::optional<x402::guarded_facilitator> guard_;
    std::unique_ptr<x402::payment_store> store_;
    std::optional<x402::payment_engine> engine_;
    std::optional<till> till_;
    std::optional<payment_metrics> metrics_;
    mutable std::mutex mutex_;
    std::optional<std::string> away_;  // under the mutex
    task_group tasks_{
        strand_, around_.log, [this](const std::string&, const std::string&) { end_process(); }};
};

}  // namespace portitor::verifier

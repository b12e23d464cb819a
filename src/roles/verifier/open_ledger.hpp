#pragma once

#include "roles/process.hpp"
#include "roles/verifier/options.hpp"

#include <portitor/x402/payment_store.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace portitor::verifier {

/// The record of payments that --ledger names, for the strand of this executor; what the process gives must
/// outlive it. A file is read here, which blocks; one that is away for now is opened when it can be.
/// `wrote` is told how long each write took. The error says what to do.
result<std::unique_ptr<x402::payment_store>> open_ledger(
    const roles::process& around,
    const options& wanted,
    boost::asio::any_io_executor strand,
    std::function<void(std::chrono::nanoseconds)> wrote
);

}  // namespace portitor::verifier

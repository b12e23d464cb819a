#pragma once

#include <portitor/x402/facilitator.hpp>

/// What goes to a facilitator and how its answers are read; no I/O.
namespace portitor::x402 {

struct facilitator_call
{
    http::origin server;
    http::request message;
};

/// POST {base}/{operation} with the payment as it came and the server's own requirement, both in the
/// payment's version. errc::invalid where the base URL is none or has a query.
result<facilitator_call> make_facilitator_call(
    std::string_view base,
    std::string_view operation,
    const payment& offered,
    const payment_requirement& wanted
);

verify_outcome read_verify_answer(const http::response& answer, const payment& offered);

settle_outcome
read_settle_answer(const http::response& answer, const payment& offered, const payment_requirement& wanted);

}  // namespace portitor::x402

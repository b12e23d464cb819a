#pragma once

#include <portitor/x402/facilitator.hpp>

/// What goes to a facilitator and how its answers are read; no I/O.
namespace portitor::x402 {

/// Where a facilitator's API begins. errc::invalid where the base URL is none or has a query; its path has no
/// slash at the end.
result<http::url> parse_facilitator_url(std::string_view base);

/// POST {path}/{operation} with the payment as it came and the server's own requirement, both in the
/// payment's version. The client adds what every request has.
http::request make_facilitator_request(
    std::string_view path,
    std::string_view operation,
    const payment& offered,
    const payment_requirement& wanted
);

verify_outcome read_verify_answer(const http::response& answer, const payment& offered);

settle_outcome
read_settle_answer(const http::response& answer, const payment& offered, const payment_requirement& wanted);

bool is_redirect(const http::response& answer);
/// What is wrong with one that is: "it redirects to …".
std::string words_of_redirect(const http::response& answer);

}  // namespace portitor::x402

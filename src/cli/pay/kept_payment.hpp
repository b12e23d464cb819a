#pragma once

#include <portitor/x402/buyer.hpp>

#include <string>

namespace portitor::cli::pay {

/// A payment that may still settle, and what it was signed for.
struct kept_payment
{
    std::string url;
    std::string method;
    x402::signed_payment payment;
};

/// Writes it to a new file among the temporary ones, for its owner only; the value is the file's name.
/// errc::refused where that cannot be done.
result<std::string> keep_payment(const kept_payment& what);

/// Reads it again. errc::invalid: there is none in the file. Nothing of the file is quoted.
result<kept_payment> read_kept_payment(const std::string& file);

}  // namespace portitor::cli::pay

#pragma once

#include <portitor/core/error.hpp>
#include <portitor/x402/payment_record.hpp>

#include <string>
#include <string_view>

namespace portitor::ledger {

/// As JSON, what a process that takes a payment over needs beside the columns of the book: the rest of its
/// terms, what the payer signed, and what earlier settlements left.
std::string write_takeover(const x402::payment_record& record);

/// Fills it in again, into a record whose terms are `terms`. errc::invalid where the text is not ours.
result<void> read_takeover(std::string_view text, x402::payment_terms& terms, x402::payment_record& record);

}  // namespace portitor::ledger

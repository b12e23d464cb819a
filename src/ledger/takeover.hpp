#pragma once

#include <portitor/core/error.hpp>
#include <portitor/x402/payment_record.hpp>

#include <string>
#include <string_view>

/// As JSON, what a process that takes a payment over needs beside the columns of the book.
namespace portitor::ledger {

/// Of what was wanted, what the payments of an offer share.
void append_wanted(std::string& out, const x402::payment_requirement& wanted);

/// Of one payment: the resource, what the payer signed as far as it is not what was wanted, and what earlier
/// settlements left.
void append_takeover(std::string& out, const x402::payment_record& record);

/// Fills both in again, into a record that has its columns and whose terms are `terms`; `wanted` may be
/// empty, and so is `takeover` of a payment that is over: it was what was wanted. errc::invalid where a text
/// is not ours.
result<void> read_takeover(
    std::string_view wanted,
    std::string_view takeover,
    x402::payment_terms& terms,
    x402::payment_record& record
);

}  // namespace portitor::ledger

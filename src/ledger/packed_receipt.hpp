#pragma once

#include <string>
#include <string_view>

namespace portitor::ledger {

/// What else is in the row of a receipt.
struct receipt_facts
{
    std::string_view network;
    std::string_view payer;
    std::string_view transaction;
};

/// A receipt (value of the header) as the file has it. One that says no more than its row is "=", and behind
/// that its network where the row names that in another way (x402 v1); any other one is itself.
std::string packed_receipt(std::string_view receipt, const receipt_facts& row);

/// The receipt again, to the byte.
std::string unpacked_receipt(std::string_view packed, const receipt_facts& row);

}  // namespace portitor::ledger

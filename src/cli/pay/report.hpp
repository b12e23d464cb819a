#pragma once

#include "cli/output/text.hpp"
#include "cli/pay/ending.hpp"
#include "cli/pay/wish.hpp"

#include <portitor/x402/buyer.hpp>

#include <boost/json/object.hpp>

#include <iosfwd>
#include <optional>
#include <string>

namespace portitor::cli::pay {

/// All there is to tell of one run.
struct report
{
    wish what;
    ending how = ending::failed;
    std::string why;  ///< in a sentence; empty where it went well
    std::optional<x402::offered_terms> terms;
    const x402::payment_option* chosen = nullptr;  ///< of the terms: what is, or would be, paid
    std::string payer;                             ///< empty where nothing was signed
    std::uint64_t valid_before = 0;                ///< of the payment that was signed, Unix seconds
    unsigned tries = 0;                            ///< with the payment
    std::optional<x402::receipt> receipt;
    std::string receipt_doubt;  ///< why it is none of this payment, in half a sentence; empty where it may be
    std::string kept_in;        ///< the file with the payment, where it may be sent again
    std::optional<http::response> answer;

    bool is_paid() const { return !payer.empty(); }
    /// Whether the answer's body is what was asked for, or the service's own word on why not.
    bool has_body() const;
};

/// "0.001 USDC on Base Sepolia to 0x… for https://…"
std::string in_words(const x402::payment_option& option, const wish& what, const x402::network_table& known);

/// What a 402 asks for: a line an option, and why others are passed over.
void tell_terms(std::ostream& out, const report& of, const x402::network_table& known);

/// Warns of a payment that others could read on its way; says nothing of any other.
void warn_of_clear(std::ostream& err, const wish& what);

/// How it ended, for people: status, size, receipt.
void tell_end(std::ostream& out, const report& of, const palette& colours);

/// The whole, for programs; with the body unless it went to a file.
boost::json::object to_json(const report& of, const x402::network_table& known, const std::string& body_file);

/// The same as a line of text.
std::string to_json_text(const report& of, const x402::network_table& known, const std::string& body_file);

/// A body as it may stand on a terminal: line breaks stay, control characters do not.
std::string printable_body(std::string_view body);

}  // namespace portitor::cli::pay

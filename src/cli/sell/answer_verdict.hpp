#pragma once

#include <portitor/api/payment_route.hpp>
#include <portitor/http/message.hpp>
#include <portitor/x402/networks.hpp>
#include <portitor/x402/requirement.hpp>

#include <optional>
#include <string>

namespace portitor::cli::sell {

/// What an answer to an unpaid request means.
enum class answer_level
{
    good,     ///< the gate asks for the offer's price, or the path is free and answers
    warning,  ///< it is answered without a payment, and should not be
    bad,      ///< something else
};

struct answer_verdict
{
    answer_level level;
    std::string words;
};

/// What an offer should answer at a path: its terms, and what of them applies there.
struct expected_answer
{
    std::string offer;  ///< "namespace/name"
    /// Of the path: atomic units, token, network, receiver; nothing where the terms are not known.
    std::optional<api::payment_route> terms;
    std::string below;  ///< the path below the offer's, "/report"
    const x402::network_table* networks = nullptr;
    std::string why_not_sold{};  ///< what the offer itself says; empty where it is Ready
};

/// Judges what came back. `answer` is hostile.
answer_verdict judge_answer(const http::response& answer, const expected_answer& expected);

/// Whether amount, token, network and receiver are those that the offer sells this path for. Not where its
/// terms are not known, or the path is free.
bool is_as_sold(const x402::payment_requirement& asked, const expected_answer& expected);

}  // namespace portitor::cli::sell

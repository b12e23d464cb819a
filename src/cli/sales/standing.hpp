#pragma once

#include <portitor/ledger/book.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace portitor::cli::sales {

/// How a payment stands, as its seller sees it.
enum class standing
{
    pending,      ///< somebody works on it, nothing was sent
    doubt,        ///< a settlement was asked for, and nobody knows yet what came of it
    undelivered,  ///< paid, and its answer not delivered yet
    delivered,    ///< paid, and answered
    expired,      ///< its time is over, and nobody can tell whether it was paid
    closed,       ///< it bought nothing; used_cause says why
    reorganised,  ///< was paid, and a reorganisation of the chain took that back
};

standing standing_of(const ledger::sale& what);

/// "pending", "doubt", …: in JSON, CSV and --state.
const char* to_string(standing what) noexcept;

/// What --state takes: the names of all standings, "interrupted" for payments where a verifier died while it
/// wrote the answer, and "unproven" for settled ones that nobody has proved.
std::vector<std::string> state_words();

/// Whether a payment is one of these, as state_words() has them.
bool is_one_of(const ledger::sale& what, const std::vector<std::string>& states);

/// Whether it was settled on the word of somebody who could not prove it.
bool is_unproven(const ledger::sale& what);

/// In words for people.
std::string in_words(const ledger::sale& what);

}  // namespace portitor::cli::sales

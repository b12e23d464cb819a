#pragma once

#include "ledger/database.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace portitor::ledger {

/// A text as the file has it: "0x" and lower-case digits of at most 32 bytes are these bytes, a BLOB of half
/// the room; any other text is itself. So nothing is lost, whatever a facilitator calls a transaction.
class packed_text
{
public:
    /// @param text  must outlive this
    explicit packed_text(std::string_view text);

    /// For the next parameter. This must live until the statement's next reset().
    void bind(statement& to) const;

private:
    friend result<void> add_packed(database& to);

    std::string_view text_;
    std::array<std::uint8_t, 32> bytes_{};
    std::size_t size_ = 0;  // 0: the text itself
};

/// The text again.
std::string unpacked(const statement& row, int column);

/// Adds the function packed(TEXT) to a connection.
result<void> add_packed(database& to);

}  // namespace portitor::ledger

#include "ledger/packed_text.hpp"

#include <portitor/evm/hex.hpp>

#include <algorithm>
#include <span>
#include <sqlite3.h>

namespace portitor::ledger {

packed_text::packed_text(std::string_view text) : text_(text)
{
    if (text.size() < 4 || text.size() > 2 + 2 * bytes_.size())
        return;
    // Digits come back in lower case.
    if (std::any_of(text.begin(), text.end(), [](char each) { return each >= 'A' && each <= 'F'; }))
        return;
    const std::size_t size = text.size() / 2 - 1;
    if (evm::parse_hex(text, std::span(bytes_).first(size)))
        size_ = size;
}

void packed_text::bind(statement& to) const
{
    if (size_ == 0)
        to.bind(text_);
    else
        to.bind_bytes({bytes_.data(), size_});
}

std::string unpacked(const statement& row, int column)
{
    return row.is_bytes(column) ? evm::to_hex(row.bytes(column)) : std::string(row.text(column));
}

result<void> add_packed(database& to)
{
    const auto pack = [](sqlite3_context* call, int, sqlite3_value** values) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
        const packed_text packed({text, static_cast<std::size_t>(sqlite3_value_bytes(values[0]))});
        if (packed.size_ == 0)
            sqlite3_result_value(call, values[0]);
        else
            sqlite3_result_blob(call, packed.bytes_.data(), static_cast<int>(packed.size_), SQLITE_TRANSIENT);
    };
    const int code = sqlite3_create_function(
        to.handle(), "packed", 1, SQLITE_UTF8 | SQLITE_DETERMINISTIC, nullptr, pack, nullptr, nullptr
    );
    if (code != SQLITE_OK)
        return to.failure(code);
    return {};
}

}  // namespace portitor::ledger

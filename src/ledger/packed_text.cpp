#include "ledger/packed_text.hpp"

#include <portitor/evm/hex.hpp>

#include <array>
#include <sqlite3.h>

namespace portitor::ledger {

namespace {

constexpr std::uint8_t no_digit = 0xff;

// 0…15, or no_digit for what is no lower-case digit.
constexpr std::array<std::uint8_t, 256> make_digits()
{
    std::array<std::uint8_t, 256> digits{};
    digits.fill(no_digit);
    constexpr std::string_view all = "0123456789abcdef";
    for (std::size_t i = 0; i < all.size(); ++i)
        digits[static_cast<unsigned char>(all[i])] = static_cast<std::uint8_t>(i);
    return digits;
}

constexpr auto digits_of = make_digits();

unsigned digit(char c) noexcept
{
    return digits_of[static_cast<unsigned char>(c)];
}

}  // namespace

packed_text::packed_text(std::string_view text) noexcept : text_(text)
{
    if (text.size() < 4 || text.size() > 2 + 2 * bytes_.size() || text.size() % 2 != 0 ||
        !text.starts_with("0x"))
        return;
    unsigned seen = 0;
    for (std::size_t i = 2; i < text.size(); i += 2)
    {
        const unsigned high = digit(text[i]);
        const unsigned low = digit(text[i + 1]);
        seen |= high | low;
        bytes_[i / 2 - 1] = static_cast<std::uint8_t>(high << 4U | (low & 15U));
    }
    if (seen < 16)
        size_ = text.size() / 2 - 1;
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
